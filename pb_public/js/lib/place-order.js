import { openAccount } from "./account.js";
import { ApiError, asApiError, post } from "./api.js";
import { attemptKey, dropAttempt } from "./draft.js";
import { t } from "./i18n.js";
import { money } from "./money.js";
import { go } from "./router.js";
import { signedIn } from "./session.js";

/**
 * @typedef {{form: import("./form.js").Form, gateway: any, quoted: import("./quote.js").Quoting, currency: string, items: any[], coupons: string[],
 *   mode: string, waiting: null | {email: string, password: string}, setWaiting: (w: {email: string, password: string}) => void, refresh: () => void}} Attempt
 */

/** Places the order and leads to its payment. Pressing twice, or again after a lost answer, places it once. @param {Attempt} attempt */
export async function placeOrder(attempt) {
    const { form, quoted, waiting, mode } = attempt;
    const { quote } = quoted.state.peek();
    if (form.busy.peek() || !quote) return;
    await form.send(async (values) => {
        if (!signedIn.peek()) {
            if (mode === "have" || waiting) throw new ApiError(t(waiting ? "order.verify_first" : "order.sign_in_first"));
            if (!(await openAccount(values))) {
                attempt.setWaiting({ email: values.email.trim(), password: values.password });
                return;
            }
        }
        try {
            await place(attempt, quote);
        } catch (thrown) {
            throw inWords(asApiError(thrown), attempt, quote);
        }
    }, { "items.0.hostname": "hostname", "coupons.0": "coupon" });
}

/** @param {Attempt} attempt @param {any} quote */
async function place({ gateway, currency, items, coupons }, quote) {
    const content = { gateway: gateway.id, currency, total_minor: quote.total.minor, items, coupons };
    const send = () => post("/orders", { ...content, client_key: attemptKey(content), terms: true });
    let answer = await send();
    if (answer.order.status === "expired" || answer.order.status === "cancelled") {
        dropAttempt();
        answer = await send();
    }
    const { order, payment } = answer;
    // The order's page takes this one's place in the history, so Back from the payment page shows the order and not the cart.
    go("/portal/orders/" + encodeURIComponent(order.id), { replace: true });
    if (payment.kind === "redirect" && payment.url && payment.state !== "succeeded") location.assign(payment.url);
}

/** Says what a refusal means for the person: above all whether anything was charged. @param {ApiError} error @param {Attempt} attempt @param {any} quote */
function inWords(error, { quoted, refresh }, quote) {
    if (error.code === "price_changed" || error.code === "sold_out") {
        refresh();
        quoted.again();
    }
    const text = error.code === "price_changed" ? t("order.price_changed", { amount: money(quote.total) })
        : error.code === "sold_out" ? t("order.sold_out_now")
        : error.code === "method_needed" ? t("order.method_needed")
        : error.lost ? t("order.lost")
        : "";
    return text ? new ApiError(text, { status: error.status, code: error.code, reference: error.reference, fields: error.fields }) : error;
}
