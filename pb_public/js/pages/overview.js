import { html } from "../vendor.js";
import { asApiError, get } from "../lib/api.js";
import { loadMe } from "../lib/account.js";
import { now } from "../lib/dates.js";
import { addUp, money } from "../lib/money.js";
import { t } from "../lib/i18n.js";
import { requestVerification } from "../lib/session.js";
import { useResource } from "../lib/store.js";
import { toast } from "../lib/toast.js";
import { Heading } from "../ui/page.js";
import { Badge } from "../ui/badge.js";
import { Empty, Loaded, Loading } from "../ui/states.js";
import { Day } from "../ui/time.js";
import { ServiceTable, useServices } from "./services.js";

/** First what needs an answer, then what runs, then what it will cost next. */
export default function Overview() {
    const services = useServices();
    const invoices = useResource("invoices-open", (signal) => get("/invoices?status=open&page=1&per_page=50", { signal }), ["invoices"]);
    const orders = useResource("orders", (signal) => get("/orders", { signal }), ["orders", "invoices"]);
    const me = useResource("me", loadMe, ["users"]);
    const known = services.data.value && invoices.data.value && orders.data.value && me.data.value;
    return html`<div class="page">
        <${Heading} title=${t("nav.overview")} />
        ${known ? html`<${Asks} list=${asks(services.data.value.items, invoices.data.value.items, orders.data.value.items, me.data.value)} />`
            : !services.error.value && html`<${Loaded} of=${[invoices, orders, me].find((r) => r.error.value) ?? services} heights=${[64]}>${() => html`<${Loading} heights=${[64]} />`}<//>`}
        <${Loaded} of=${services} heights=${[200]}>${(/** @type {any} */ d) => html`<${Running} items=${d.items} />`}<//>
    </div>`;
}

/**
 * What waits for the person, the most pressing first.
 * @param {any[]} services @param {any[]} invoices @param {any[]} orders @param {any} me
 */
function asks(services, invoices, orders, me) {
    /** @type {{key: string, state: string, word: string, text: any, href?: string, run?: () => void, label: string}[]} */
    const list = [];
    const waiting = orders.filter((o) => o.status === "pending");
    const ordered = new Set(waiting.map((o) => o.invoice?.id));
    for (const s of services) {
        if (s.display === "suspended" || s.display === "failed") {
            list.push({ key: s.id, state: s.display, word: t("state." + s.display), text: `${s.label || s.hostname}${s.action_note ? ": " + s.action_note : ""}`, href: "/portal/services/" + s.id, label: t("overview.see_service") });
        }
    }
    for (const i of invoices) {
        if (ordered.has(i.id)) continue;
        const late = Date.parse(i.due_at) < now();
        list.push({ key: i.id, state: late ? "overdue" : "open", word: t(late ? "state.overdue" : "state.open"), text: html`${t("overview.invoice", { number: i.number, amount: money(i.due) })} <${Day} at=${i.due_at} />`, href: "/portal/invoices/" + i.id, label: t("overview.pay", { amount: money(i.due) }) });
    }
    for (const o of waiting) {
        list.push({ key: o.id, state: "open", word: t("state.open"), text: t("overview.order", { amount: money(o.total) }), href: "/portal/orders/" + o.id, label: t("overview.finish") });
    }
    if (!me.verified) {
        const send = () => requestVerification(me.email).then(() => toast(t("check_mail.sent_again", { email: me.email })), (e) => toast(asApiError(e).message, { kind: "bad" }));
        list.push({ key: "mail", state: "open", word: t("overview.unverified"), text: t("overview.unverified_text", { email: me.email }), run: send, label: t("check_mail.again") });
    }
    return list;
}

/** @param {{list: ReturnType<typeof asks>}} props */
function Asks({ list }) {
    if (list.length === 0) return html`<p class="muted">${t("overview.calm")}</p>`;
    return html`<section class="card" aria-label=${t("overview.asks")}>
        <div class="card-head"><h2>${t("overview.asks")}</h2></div>
        <ul class="asks">${list.map((one) => html`<li key=${one.key}>
            <span class="what"><span class="mark"><${Badge} state=${one.state} word=${one.word} /></span><span>${one.text}</span></span>
            ${one.href ? html`<a class="btn" href=${one.href}>${one.label}</a>` : html`<button type="button" class="btn" onClick=${one.run}>${one.label}</button>`}
        </li>`)}</ul>
    </section>`;
}

/** @param {{items: any[]}} props */
function Running({ items }) {
    const present = items.filter((s) => s.status !== "terminated");
    if (present.length === 0) {
        return html`<div class="card"><${Empty} title=${t("services.none_title")}><p>${t("services.none")}</p><a class="btn primary" href="/portal/order">${t("nav.order")}</a><//></div>`;
    }
    return html`<${NextCharge} items=${present} />
        <section class="card"><div class="card-head"><h2>${t("nav.services")}</h2><a href="/portal/services">${t("overview.all")}</a></div><${ServiceTable} items=${present.slice(0, 8)} /></section>`;
}

/** The nearest renewal: all that falls on that day, by currency. @param {{items: any[]}} props */
function NextCharge({ items }) {
    const due = items.filter((s) => s.renews_at && s.status === "active").sort((a, b) => Date.parse(a.renews_at) - Date.parse(b.renews_at));
    if (due.length === 0) return null;
    const first = due[0].renews_at;
    const same = due.filter((s) => s.renews_at.slice(0, 10) === first.slice(0, 10));
    return html`<section class="card"><div class="card-head"><h2>${t("overview.next")}</h2><a href="/portal/invoices">${t("overview.billing")}</a></div>
        <div class="card-body"><p><span class="big-num">${addUp(same.map((s) => s.price)).map(money).join(" + ")}</span> <span class="muted">${t("overview.next_on")} <${Day} at=${first} /> · ${t("overview.next_for", { count: same.length })} · ${t("overview.before_tax")}</span></p></div>
    </section>`;
}
