import { html } from "../vendor.js";
import { get } from "../lib/api.js";
import { now } from "../lib/dates.js";
import { money } from "../lib/money.js";
import { capital, t } from "../lib/i18n.js";
import { place, setQuery } from "../lib/router.js";
import { useResource } from "../lib/store.js";
import { Heading } from "../ui/page.js";
import { Badge } from "../ui/badge.js";
import { Icon } from "../ui/icons.js";
import { Segments } from "../ui/plan-picker.js";
import { Empty, Loaded } from "../ui/states.js";
import { Day } from "../ui/time.js";

const perPage = 25;
const filters = ["", "open", "paid", "void"];

/** The state an invoice is shown with: an open one past its day is overdue. @param {any} i */
export const invoiceState = (i) => (i.status === "open" && i.due_at && Date.parse(i.due_at) < now() ? "overdue" : i.status);

/** The customer's invoices, newest first; filter and page stand in the address. */
export default function Invoices() {
    const status = place.value.query.get("status") ?? "";
    const page = Math.max(1, Number.parseInt(place.value.query.get("page") ?? "1", 10) || 1);
    const path = `/invoices?status=${encodeURIComponent(status)}&page=${page}&per_page=${perPage}`;
    const invoices = useResource(path, (signal) => get(path, { signal }), ["invoices"]);
    return html`<div class="page">
        <${Heading} title=${t("nav.billing")}><a class="btn" href="/portal/payment-methods">${t("methods.see")}</a><//>
        <div class="stack tight">
            <${Segments} legend=${t("invoices.filter")} name="status" value=${filters.includes(status) ? status : ""} onPick=${(/** @type {string} */ v) => setQuery({ status: v, page: "" }, { push: true })}
                options=${filters.map((f) => ({ value: f, label: capital(t(f ? "state." + f : "invoices.all")) }))} />
            <div class="card"><${Loaded} of=${invoices} heights=${[220]}>${(/** @type {any} */ d) =>
                d.items.length === 0
                    ? html`<${Empty} title=${t(status ? "invoices.nothing" : "invoices.none_title", { filter: status ? t("state." + status) : "" })}>
                        ${status ? html`<button type="button" class="btn" onClick=${() => setQuery({ status: "", page: "" })}>${t("do.clear_filter")}</button>` : html`<p>${t("invoices.none")}</p>`}<//>`
                    : html`<${Table} items=${d.items} />`}<//></div>
            ${invoices.data.value && html`<${Pages} page=${page} total=${invoices.data.value.total_items} />`}
        </div>
    </div>`;
}

/** @param {{items: any[]}} props */
const Table = ({ items }) => html`<table class="table cards">
    <caption class="sr">${t("invoices.title")}</caption>
    <thead><tr><th scope="col">${t("invoice.number")}</th><th scope="col">${t("invoice.status")}</th><th scope="col">${t("invoice.date")}</th><th scope="col">${t("invoice.due_date")}</th>
        <th scope="col" class="end">${t("invoice.total")}</th><th scope="col" class="end">${t("invoice.rest")}</th><th scope="col"><span class="sr">${t("invoice.pdf")}</span></th></tr></thead>
    <tbody>${items.map((i) => html`<tr key=${i.id}>
        <td><a class="main-link" href=${"/portal/invoices/" + i.id}>${i.number}</a></td>
        <td data-label=${t("invoice.status")}><${Badge} state=${invoiceState(i)} /></td>
        <td data-label=${t("invoice.date")}>${i.issued_at && html`<${Day} at=${i.issued_at} />`}</td>
        <td data-label=${t("invoice.due_date")}>${i.due_at && html`<${Day} at=${i.due_at} />`}</td>
        <td data-label=${t("invoice.total")} class="end num">${money(i.total)}</td>
        <td data-label=${t("invoice.rest")} class="end num">${i.status === "open" ? money(i.due) : "–"}</td>
        <td data-label="" class="end">${i.pdf_url && html`<a href=${i.pdf_url} download class="btn quiet" aria-label=${t("invoice.pdf_of", { number: i.number })}><${Icon} name="billing" />PDF</a>`}</td>
    </tr>`)}</tbody>
</table>`;

/** @param {{page: number, total: number}} props */
function Pages({ page, total }) {
    const last = Math.max(1, Math.ceil(total / perPage));
    if (last === 1) return null;
    /** @param {number} n */
    const to = (n) => setQuery({ page: n === 1 ? "" : String(n) }, { push: true });
    return html`<nav class="actions" aria-label=${t("pages.label")}>
        <button type="button" class="btn" disabled=${page <= 1} onClick=${() => to(page - 1)}>${t("pages.previous")}</button>
        <span class="muted num" role="status">${t("pages.of", { page, last })}</span>
        <button type="button" class="btn" disabled=${page >= last} onClick=${() => to(page + 1)}>${t("pages.next")}</button>
    </nav>`;
}
