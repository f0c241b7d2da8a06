import { html, useState } from "../vendor.js";
import { asApiError, post } from "../lib/api.js";
import { draft } from "../lib/draft.js";
import { money } from "../lib/money.js";
import { t } from "../lib/i18n.js";
import { Button } from "./button.js";
import { Copy } from "./copy.js";
import { ErrorBox } from "./states.js";
import { useConfig } from "./terms.js";

/**
 * One button for each way to pay an invoice; the first one carries the amount. Pressing it opens, or opens again, the payment
 * page of that same invoice, so a second press never charges twice. `instead` offers the ways other than a transfer, less loudly.
 * @param {{invoice: string, due: import("../lib/money.js").Money, again?: boolean, instead?: boolean, onInstructions: (payment: any) => void}} props
 */
export function PayInvoice({ invoice, due, again = false, instead = false, onInstructions }) {
    const gateways = useConfig().data.value?.gateways ?? [];
    const [busy, setBusy] = useState("");
    const [error, setError] = useState(/** @type {import("../lib/api.js").ApiError | null} */ (null));
    const preferred = draft.peek().gateway;
    const sorted = gateways.filter((/** @type {any} */ g) => !instead || g.kind !== "instructions").sort((/** @type {any} */ a, /** @type {any} */ b) => Number(b.id === preferred) - Number(a.id === preferred));
    /** @param {string} gateway */
    const pay = async (gateway) => {
        if (busy) return;
        setBusy(gateway);
        setError(null);
        try {
            const { payment } = await post(`/invoices/${invoice}/pay`, { gateway });
            if (payment.kind === "redirect" && payment.url) {
                location.assign(payment.url);
                setTimeout(() => setBusy(""), 8000);
                return;
            }
            onInstructions(payment);
        } catch (thrown) {
            setError(asApiError(thrown));
        }
        setBusy("");
    };
    return html`<div class="stack tight">
        ${error && html`<${ErrorBox} error=${error} title=${t("pay.failed")} />`}
        <div class="actions">${sorted.map((/** @type {any} */ g, /** @type {number} */ i) => html`<${Button} key=${g.id} kind=${i === 0 && !instead ? "primary" : ""} busy=${busy === g.id} disabled=${busy !== ""} onClick=${() => pay(g.id)}>
            ${i === 0 ? t(again ? "pay.again" : "pay.do", { amount: money(due), method: g.label }) : t("pay.other", { method: g.label })}<//>`)}</div>
    </div>`;
}

/** How to pay by transfer: each value can be copied. @param {{payment: any}} props */
export const Instructions = ({ payment }) => html`<dl class="facts">${payment.instructions.map((/** @type {any} */ one) => html`
    <div><dt>${one.label}</dt><dd><span class="value mono">${one.value}</span><${Copy} value=${one.value} label=${one.label} /></dd></div>`)}</dl>`;
