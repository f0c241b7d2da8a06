import { html, useEffect, useState } from "../vendor.js";
import { get } from "../lib/api.js";
import { money } from "../lib/money.js";
import { has, t } from "../lib/i18n.js";
import { place } from "../lib/router.js";
import { useResource } from "../lib/store.js";
import { Heading } from "../ui/page.js";
import { Badge } from "../ui/badge.js";
import { Icon } from "../ui/icons.js";
import { Instructions, PayInvoice } from "../ui/pay-invoice.js";
import { Loaded } from "../ui/states.js";
import { Ago, Day } from "../ui/time.js";
import { invoiceState } from "./invoices.js";

/** One invoice that explains itself: periods, quantity × price, tax, payments. @param {{id: string}} props */
export default function Invoice({ id }) {
    const invoice = useResource("invoice-" + id, (signal) => get("/invoices/" + id, { signal }), ["invoices/" + id]);
    const data = invoice.data.value;
    return html`<div class="page">
        <${Heading} title=${data ? t("invoice.named", { number: data.number }) : t("invoice.one")} name=${data?.number} section=${t("nav.billing")} crumb=${html`<a href="/portal/invoices">${t("nav.billing")}</a>`}>
            ${data?.pdf_url && html`<a class="btn" href=${data.pdf_url} download><${Icon} name="billing" />${t("invoice.pdf")}</a>`}
        <//>
        <${Loaded} of=${invoice} heights=${[240, 120]}>${(/** @type {any} */ i) => html`<${Body} invoice=${i} refresh=${() => invoice.refresh()} />`}<//>
    </div>`;
}

/** Seconds between two looks at an invoice whose payer has just come back from the payment page. */
const lookEvery = [2, 3, 5, 8, 13, 20, 30, 60, 120];

/**
 * What is said to somebody who comes back from the payment page: nothing when it is paid, otherwise that it is being checked,
 * for as long as that is true, or that nothing was charged.
 * @param {{invoice: any, refresh: () => void}} props
 */
function Returned({ invoice: i, refresh }) {
    const came = place.value.query.get("payment");
    const [looks, setLooks] = useState(0);
    const checking = i.status === "open" && came === "returned" && looks < lookEvery.length;
    useEffect(() => {
        if (!checking) return undefined;
        const end = setTimeout(() => {
            refresh();
            setLooks(looks + 1);
        }, 1000 * lookEvery[looks]);
        return () => clearTimeout(end);
    }, [checking, looks]);
    if (i.status !== "open" || !came) return null;
    return html`<div class="notice" role="status" data-kind=${checking ? "" : "warn"}><p>${t(checking ? "order_status.checking" : came === "cancelled" ? "invoice.back" : "invoice.unsettled")}</p></div>`;
}

/** @param {{invoice: any, refresh: () => void}} props */
function Body({ invoice: i, refresh }) {
    const [transfer, setTransfer] = useState(/** @type {any} */ (null));
    return html`<div class="split">
        <div class="stack">
            <${Returned} invoice=${i} refresh=${refresh} />
            <section class="card"><${Lines} invoice=${i} /></section>
            ${i.payments?.length > 0 && html`<section class="card"><div class="card-head"><h2>${t("invoice.payments")}</h2></div><div class="card-body"><${Payments} items=${i.payments} /></div></section>`}
            ${i.refunds?.length > 0 && html`<section class="card"><div class="card-head"><h2>${t("invoice.refunds")}</h2></div><div class="card-body"><${Refunds} items=${i.refunds} /></div></section>`}
        </div>
        <section class="card">
            <div class="card-head"><h2>${t("invoice.status")}</h2><${Badge} state=${invoiceState(i)} live=${true} /></div>
            <div class="card-body">
                <dl class="facts">
                    <div><dt>${t("invoice.date")}</dt><dd>${i.issued_at && html`<${Day} at=${i.issued_at} />`}</dd></div>
                    <div><dt>${t("invoice.due_date")}</dt><dd>${i.due_at && html`<${Day} at=${i.due_at} />`}</dd></div>
                    ${i.paid_at && html`<div><dt>${t("invoice.paid_date")}</dt><dd><${Day} at=${i.paid_at} /></dd></div>`}
                    ${i.status === "open" && html`<div><dt>${t("invoice.rest")}</dt><dd class="big-num">${money(i.due)}</dd></div>`}
                </dl>
                ${i.status === "open" && (transfer ? html`<${Instructions} payment=${transfer} />` : html`<${PayInvoice} invoice=${i.id} due=${i.due} onInstructions=${setTransfer} />`)}
            </div>
        </section>
    </div>`;
}

/** @param {{invoice: any}} props */
const Lines = ({ invoice: i }) => html`<table class="table cards">
    <caption class="sr">${t("invoice.lines")}</caption>
    <thead><tr><th scope="col">${t("invoice.description")}</th><th scope="col" class="end">${t("invoice.quantity")}</th><th scope="col" class="end">${t("invoice.unit_price")}</th><th scope="col" class="end">${t("invoice.amount")}</th></tr></thead>
    <tbody>${(i.lines ?? []).map((/** @type {any} */ line) => html`<tr>
        <td><span>${line.description}${line.period?.start && line.period?.end && html`<span class="sub"><${Day} at=${line.period.start} /> – <${Day} at=${line.period.end} /></span>`}</span></td>
        <td data-label=${t("invoice.quantity")} class="end num">${line.quantity}</td>
        <td data-label=${t("invoice.unit_price")} class="end num">${money(line.unit_price)}</td>
        <td data-label=${t("invoice.amount")} class="end num">${money(line.amount)}</td>
    </tr>`)}</tbody>
    <tfoot>${[["sum.subtotal", i.subtotal], ["sum.tax", i.tax], ["invoice.total", i.total]].map(([key, amount], n) => html`<tr class=${n === 2 ? "strong" : ""}>
        <th scope="row" colspan="3" class="end foot">${t(key)}</th><td data-label=${t(key)} class="end num">${money(amount)}</td></tr>`)}</tfoot>
</table>`;

/** @param {{items: any[]}} props */
const Payments = ({ items }) => html`<ol class="log">${items.map((p) => html`<li>
    <span>${has("gateway." + p.gateway) ? t("gateway." + p.gateway) : p.gateway} · <span class=${p.state === "succeeded" ? "ok" : p.state === "declined" ? "bad" : "muted"}>${t("payment." + p.state)}</span>
        ${p.reason && html`<br /><span class="sub">${p.reason}</span>`}<br /><span class="sub"><${Ago} at=${p.at} /></span></span>
    <span class="num">${money(p.amount)}</span></li>`)}</ol>`;

/** Money on its way back, or back already. One that failed is credit again. @param {{items: any[]}} props */
const Refunds = ({ items }) => html`<ol class="log">${items.map((r) => html`<li>
    <span>${r.method || (has("gateway." + r.gateway) ? t("gateway." + r.gateway) : r.gateway)} · <span class=${r.state === "succeeded" ? "ok" : r.state === "failed" ? "bad" : "muted"}>${t("refund." + r.state)}</span>
        <br /><span class="sub"><${Ago} at=${r.at} /></span></span>
    <span class="num">${money(r.amount)}</span></li>`)}</ol>`;
