import { html } from "../vendor.js";
import { draft, edit } from "../lib/draft.js";
import { money } from "../lib/money.js";
import { t } from "../lib/i18n.js";
import { Button } from "./button.js";
import { Check, Field, Summary } from "./field.js";
import { ErrorBox } from "./states.js";
import { Sums } from "./sums.js";
import { Terms } from "./terms.js";
import { Day } from "./time.js";

/** The ways to pay. @param {{gateways: any[], gateway: any, onPick: (id: string) => void}} props */
export const OrderPayment = ({ gateways, gateway, onPick }) =>
    gateways.length === 0
        ? html`<p class="bad">${t("order.no_gateway")}</p>`
        : html`<fieldset><legend class="sr">${t("order.payment")}</legend>
            <div class="radios">${gateways.map((g) => html`<label class="radio" key=${g.id}>
                <input type="radio" name="gateway" value=${g.id} checked=${g.id === gateway?.id} onChange=${() => onPick(g.id)} />
                <span><span class="strong">${g.label}</span><br /><span class="muted small">${t("order.gateway_" + (g.kind === "redirect" ? "redirect" : "instructions"))}</span></span>
            </label>`)}</div></fieldset>`;

/**
 * What is paid today and what later, in the server's figures, and the button that carries the amount.
 * @param {{form: import("../lib/form.js").Form, quoted: import("../lib/quote.js").Quoting, gateway: any, guest: boolean, mode: string, waiting: boolean, onPay: () => void}} props
 */
export function OrderSummary({ form, quoted, gateway, guest, mode, waiting, onPay }) {
    const { quote, error, busy } = quoted.state.value;
    const amount = quote ? money(quote.total) : "";
    const label = guest && mode === "new" && !waiting ? "order.create_pay" : gateway?.kind === "instructions" ? "order.order_for" : "order.pay";
    return html`<section class="card sticky" aria-label=${t("order.summary")}>
        <div class="card-head"><h2>${t("order.summary")}</h2></div>
        <div class="card-body">
            <div aria-live="polite" aria-busy=${busy}>
                ${quote ? html`<${Sums} of=${quote} totalLabel=${t("order.today")} />` : !error && html`<div class="skel box" style=${{ "--h": "128px" }}></div>`}
            </div>
            <${Later} of=${quote} />
            <${Coupon} form=${form} />
            ${error && html`<${ErrorBox} error=${error} title=${t("order.quote_failed")} retry=${quoted.again} busy=${busy} />`}
            <${Summary} form=${form} />
            ${form.problem.value?.code === "method_needed" && html`<a class="btn" href=${"/portal/payment-methods?back=" + encodeURIComponent(location.pathname + location.search)}>${t("methods.add_title")}</a>`}
            <${Check} form=${form} name="terms" label=${t("field.terms")}><${Terms} /><//>
            <${Button} id="pay" kind="primary" class="big" busy=${form.busy.value} disabled=${!quote || busy || !gateway} onClick=${onPay}>
                ${amount ? t(label, { amount }) : t("order.pay_wait")}<//>
            <p class="hint">${t(gateway?.kind === "instructions" ? "order.next_instructions" : "order.next_redirect")}</p>
        </div>
    </section>`;
}

/** What will be due again, in the server's figures. @param {{of: any}} props */
export const Later = ({ of }) => of?.recurring?.map((/** @type {any} */ r) => html`<p class="muted">
    ${t("order.then", { amount: money(r.amount), per: t("per." + r.cycle) })} <${Day} at=${r.next} />${r.regular.minor !== r.amount.minor && html`<br />${t("order.later", { amount: money(r.regular), per: t("per." + r.cycle) })}`}
    ${r.cap && html`<br />${t("order.cap", { amount: money(r.cap) })}`}</p>`) ?? null;

/** A code that makes it cheaper. It counts once it is applied; whether it can be used is the server's answer. @param {{form: import("../lib/form.js").Form}} props */
function Coupon({ form }) {
    const { coupon } = draft.value;
    const apply = () => edit({ coupon: form.values.peek().coupon.trim().toUpperCase() });
    const remove = () => {
        form.set("coupon", "");
        edit({ coupon: "" });
    };
    if (coupon) return html`<div class="actions"><${Button} onClick=${remove}>${t("order.coupon_remove", { code: coupon })}<//></div>`;
    return html`<${Field} form=${form} name="coupon" label=${t("order.coupon")} optional=${true} autocapitalize="characters" autocomplete="off" spellcheck=${false} maxlength="40"
            onKeyDown=${(/** @type {KeyboardEvent} */ e) => e.key === "Enter" && apply()} />
        ${form.values.value.coupon.trim() && html`<div class="actions"><${Button} onClick=${apply}>${t("order.coupon_apply")}<//></div>`}`;
}
