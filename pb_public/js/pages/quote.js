import { html, useState } from "../vendor.js";
import { get, post } from "../lib/api.js";
import { draft, edit } from "../lib/draft.js";
import { useForm } from "../lib/form.js";
import { t } from "../lib/i18n.js";
import { money } from "../lib/money.js";
import { go } from "../lib/router.js";
import { useResource } from "../lib/store.js";
import { Button } from "../ui/button.js";
import { Check, Summary } from "../ui/field.js";
import { Later, OrderPayment } from "../ui/order-summary.js";
import { Heading } from "../ui/page.js";
import { Loaded } from "../ui/states.js";
import { Sums } from "../ui/sums.js";
import { Terms, useConfig } from "../ui/terms.js";
import { Day } from "../ui/time.js";

/** A quote that staff made: what it costs, and the two answers to it. @param {{id: string}} props */
export default function Quote({ id }) {
    const quote = useResource("quote-" + id, (signal) => get("/quotes/" + id, { signal }));
    return html`<div class="page">
        <${Heading} title=${quote.data.value?.title ?? t("quote.title")} section=${t("nav.billing")} crumb=${html`<a href="/portal/invoices">${t("nav.billing")}</a>`} />
        <${Loaded} of=${quote} heights=${[240]}>${(/** @type {any} */ q) => html`<${Body} quote=${q} put=${(/** @type {any} */ v) => quote.put(v)} />`}<//>
    </div>`;
}

/** @param {{quote: any, put: (quote: any) => void}} props */
function Body({ quote: q, put }) {
    return html`<div class="split">
        <section class="card"><div class="card-body">
            ${q.note && html`<p>${q.note}</p>`}
            ${q.price ? html`<${Sums} of=${q.price} totalLabel=${t("order.today")} /><${Later} of=${q.price} />` : html`<p class="big-num">${money(q.total)}</p>`}
        </div></section>
        <section class="card"><div class="card-body">
            ${q.status === "sent" ? html`<${Answer} quote=${q} put=${put} />` : html`<p>${t("quote." + q.status)}</p>`}
            ${q.order && html`<div class="actions"><a class="btn primary" href=${"/portal/orders/" + q.order}>${t("quote.order")}</a></div>`}
        </div></section>
    </div>`;
}

/** Accepting places one order, however often it is pressed. @param {{quote: any, put: (quote: any) => void}} props */
function Answer({ quote: q, put }) {
    const gateways = useConfig().data.value?.gateways ?? [];
    const gateway = gateways.find((/** @type {any} */ g) => g.id === draft.value.gateway) ?? gateways[0];
    const form = useForm(() => ({ terms: false }), { terms: (yes) => (yes ? "" : t("rule.terms")) });
    const [declining, setDeclining] = useState(false);
    const accept = () => form.send(async () => {
        const { order, payment } = await post(`/quotes/${q.id}/accept`, { gateway: gateway.id, terms: true, total_minor: q.price.total.minor });
        go("/portal/orders/" + encodeURIComponent(order.id), { replace: true });
        if (payment.kind === "redirect" && payment.url && payment.state !== "succeeded") location.assign(payment.url);
    });
    const decline = async () => {
        setDeclining(true);
        try {
            put(await post(`/quotes/${q.id}/decline`));
        } catch (thrown) {
            form.refuse(thrown);
        }
        setDeclining(false);
    };
    return html`${q.valid_until && html`<p class="muted">${t("quote.until")} <${Day} at=${q.valid_until} /></p>`}
        <${OrderPayment} gateways=${gateways} gateway=${gateway} onPick=${(/** @type {string} */ v) => edit({ gateway: v })} />
        <${Summary} form=${form} />
        <${Check} form=${form} name="terms" label=${t("field.terms")}><${Terms} /><//>
        <div class="actions">
            <${Button} kind="primary" busy=${form.busy.value} disabled=${!gateway || declining} onClick=${accept}>${t("quote.accept", { amount: money(q.price.total) })}<//>
            <${Button} busy=${declining} disabled=${form.busy.value} onClick=${decline}>${t("quote.decline")}<//>
        </div>`;
}
