import { html } from "../vendor.js";
import { get } from "../lib/api.js";
import { money } from "../lib/money.js";
import { capital, t } from "../lib/i18n.js";
import { place, setQuery } from "../lib/router.js";
import { useResource } from "../lib/store.js";
import { Heading } from "../ui/page.js";
import { mainAddress, ServiceBadge } from "../ui/service-state.js";
import { Empty, Loaded } from "../ui/states.js";
import { Day } from "../ui/time.js";

const states = ["running", "stopped", "building", "suspended", "failed", "terminated"];

/** The customer's services as one resource, shared with the overview. */
export const useServices = () => useResource("services", (signal) => get("/services", { signal }), ["services"]);

/** All services with their live state; the filter stands in the address. */
export default function Services() {
    const services = useServices();
    return html`<div class="page">
        <${Heading} title=${t("nav.services")}><a class="btn primary" href="/portal/order">${t("nav.order")}</a><//>
        <${Loaded} of=${services} heights=${[44, 220]}>${(/** @type {any} */ d) =>
            d.items.length === 0
                ? html`<div class="card"><${Empty} title=${t("services.none_title")}><p>${t("services.none")}</p><a class="btn primary" href="/portal/order">${t("nav.order")}</a><//></div>`
                : html`<${List} items=${d.items} />`}<//>
    </div>`;
}

/** @param {any} s @param {string} text @param {string} state */
function fits(s, text, state) {
    if (state && s.display !== state) return false;
    const words = [s.label, s.hostname, s.plan?.name, ...(s.addresses ?? []).map((/** @type {any} */ a) => a.ip)].join(" ").toLowerCase();
    return text.toLowerCase().split(/\s+/).every((part) => words.includes(part));
}

/** @param {{items: any[]}} props */
function List({ items }) {
    const text = place.value.query.get("q") ?? "";
    const state = place.value.query.get("state") ?? "";
    const present = states.filter((one) => one === state || items.some((s) => s.display === one));
    const shown = items.filter((s) => fits(s, text, state));
    return html`<div class="stack tight">
        <div class="actions" role="search">
            <input class="input" type="search" style=${{ flex: "1 1 200px", maxInlineSize: "320px" }} aria-label=${t("services.search")} placeholder=${t("services.search")} value=${text}
                onInput=${(/** @type {any} */ e) => setQuery({ q: e.target.value })} />
            <select class="input" style=${{ inlineSize: "auto", flex: "none" }} aria-label=${t("services.state")} value=${state} onChange=${(/** @type {any} */ e) => setQuery({ state: e.target.value }, { push: true })}>
                <option value="">${t("services.all")}</option>
                ${present.map((one) => html`<option value=${one}>${capital(t("state." + one))}</option>`)}
            </select>
            <span class="muted small" role="status">${t("services.count", { count: shown.length })}</span>
        </div>
        <div class="card">${shown.length === 0
            ? html`<${Empty} title=${t("services.nothing", { filter: [text, state && t("state." + state)].filter(Boolean).join(" · ") })}>
                <button type="button" class="btn" onClick=${() => setQuery({ q: "", state: "" })}>${t("do.clear_filter")}</button><//>`
            : html`<${ServiceTable} items=${shown} />`}</div>
    </div>`;
}

/** The table of services, used here and on the overview. @param {{items: any[]}} props */
export const ServiceTable = ({ items }) => html`<table class="table cards">
    <caption class="sr">${t("nav.services")}</caption>
    <thead><tr><th scope="col">${t("services.name")}</th><th scope="col">${t("services.state")}</th><th scope="col">${t("services.address")}</th>
        <th scope="col">${t("services.plan")}</th><th scope="col">${t("services.renews")}</th><th scope="col" class="end">${t("services.price")}</th></tr></thead>
    <tbody>${items.map((s) => html`<tr key=${s.id}>
        <td><span><a class="main-link" href=${"/portal/services/" + s.id}>${s.label || s.hostname || s.plan?.name}</a>${s.hostname && s.label && s.hostname !== s.label && html`<span class="sub">${s.hostname}</span>`}</span></td>
        <td data-label=${t("services.state")}><${ServiceBadge} service=${s} /></td>
        <td data-label=${t("services.address")} class="mono">${mainAddress(s) || "–"}</td>
        <td data-label=${t("services.plan")}>${s.plan?.name}</td>
        <td data-label=${t("services.renews")}>${s.renews_at ? html`<${Day} at=${s.renews_at} />` : "–"}</td>
        <td data-label=${t("services.price")} class="end"><span><span class="num">${money(s.price)}</span> <span class="per">${t("per." + s.cycle)}</span></span></td>
    </tr>`)}</tbody>
</table>`;
