import { html, useEffect, useRef } from "../vendor.js";
import { get, post } from "../lib/api.js";
import { clearDraft } from "../lib/draft.js";
import { money } from "../lib/money.js";
import { t } from "../lib/i18n.js";
import { place } from "../lib/router.js";
import { useResource } from "../lib/store.js";
import { Heading } from "../ui/page.js";
import { Instructions, PayInvoice } from "../ui/pay-invoice.js";
import { ServiceBadge } from "../ui/service-state.js";
import { Loaded } from "../ui/states.js";
import { Steps } from "../ui/steps.js";
import { Day, Until } from "../ui/time.js";
import { Icon } from "../ui/icons.js";

/** Seconds between two questions to the gateway while a payment's outcome is open. */
const checkEvery = [2, 3, 5, 8, 13, 20, 30];

/** One order after it was placed: what became of the payment, the receipt, and what is being built. @param {{id: string}} props */
export default function OrderStatus({ id }) {
    const order = useResource("order-" + id, (signal) => get("/orders/" + id, { signal }), ["orders/" + id, "invoices", "services"]);
    useChecks(id, order);
    const data = order.data.value;
    useEffect(() => {
        if (data?.order.status === "paid") clearDraft();
    }, [data?.order.status]);
    return html`<div class="page">
        <${Heading} title=${t(data ? titleOf(data) : "order_status.title")} section=${t("nav.services")} crumb=${html`<a href="/portal/services">${t("nav.services")}</a>`} />
        <${Loaded} of=${order} heights=${[96, 240]}>${(/** @type {any} */ d) => html`<${Status} ...${d} put=${(/** @type {any} */ v) => order.put(v)} />`}<//>
    </div>`;
}

/** @param {{order: any, payment: any}} data */
function stateOf({ order, payment }) {
    if (order.status === "paid") return "paid";
    if (order.status === "expired" || order.status === "cancelled") return order.status;
    if (payment.state === "pending" || payment.state === "unknown") return "checking";
    if (payment.kind === "instructions") return "transfer";
    return "unpaid";
}

/** @param {{order: any, payment: any}} data */
const titleOf = (data) => "order_status." + stateOf(data) + "_title";

/**
 * Asks the gateway when the browser comes back from the payment page, and then again and again while the outcome is open.
 * @param {string} id
 * @param {import("../lib/store.js").Resource<any>} order
 */
function useChecks(id, order) {
    const tries = useRef(0);
    const returned = place.value.query.toString() !== "";
    const data = order.data.value;
    const state = data ? stateOf(data) : "";
    const check = async () => {
        try {
            order.put(await post(`/orders/${id}/check`));
        } catch { /* the state on show stays, and the next try follows */ }
    };
    useEffect(() => {
        if (returned) check();
        /** @param {PageTransitionEvent} event */
        const back = (event) => event.persisted && check();
        addEventListener("pageshow", back);
        return () => removeEventListener("pageshow", back);
    }, [id]);
    useEffect(() => {
        if (state !== "checking") {
            tries.current = 0;
            return undefined;
        }
        let timer = 0;
        const next = () => {
            timer = setTimeout(async () => {
                await check();
                next();
            }, 1000 * checkEvery[Math.min(tries.current++, checkEvery.length - 1)]);
        };
        next();
        return () => clearTimeout(timer);
    }, [state]);
}

/** @param {{order: any, payment: any, put: (data: any) => void}} props */
function Status({ order, payment, put }) {
    const state = stateOf({ order, payment });
    const cancelled = state === "unpaid" && place.value.query.get("payment") === "cancelled";
    /** @param {any} opened */
    const show = (opened) => put({ order, payment: opened });
    const pay = html`<${PayInvoice} invoice=${order.invoice.id} due=${order.total} again=${payment.state === "declined"} onInstructions=${show} />`;
    return html`<div class="split">
        <div class="stack">
            <div class="notice" role="status" data-kind=${{ paid: "ok", unpaid: "warn", expired: "warn", cancelled: "warn" }[/** @type {"paid"} */ (state)] ?? ""}>
                <p>${state === "unpaid" && payment.reason ? t("order_status.declined", { reason: payment.reason }) : t(cancelled ? "order_status.back" : "order_status." + state)}</p>
                ${order.expires_at && state === "unpaid" && html`<p class="small muted">${t("order_status.held")} <${Until} at=${order.expires_at} /></p>`}
                ${state === "unpaid" && pay}
                ${(state === "expired" || state === "cancelled") && html`<a class="btn primary" href="/portal/order">${t("order_status.anew")}</a>`}
            </div>
            ${(order.review === "waiting" || order.review === "rejected") && html`<div class="notice" data-kind="warn" role="status"><p>${t(order.review === "waiting" ? "order_status.review" : "order_status.rejected")}</p></div>`}
            ${state === "transfer" && html`<section class="card"><div class="card-head"><h2>${t("order_status.transfer_head")}</h2></div>
                <div class="card-body"><${Instructions} payment=${payment} /><p class="hint">${t("order_status.transfer_hint")}</p>
                    <${PayInvoice} invoice=${order.invoice.id} due=${order.total} instead=${true} onInstructions=${show} /></div></section>`}
            ${order.services.map((/** @type {any} */ s) => html`<${Progress} key=${s.id} id=${s.id} name=${s.name} paid=${state === "paid"} />`)}
        </div>
        <${Receipt} order=${order} state=${state} />
    </div>`;
}

/** The build of one service, step by step. @param {{id: string, name: string, paid: boolean}} props */
function Progress({ id, name, paid }) {
    const service = useResource("service-" + id, (signal) => get("/services/" + id, { signal }), ["services/" + id]);
    return html`<section class="card"><${Loaded} of=${service} heights=${[160]}>${(/** @type {any} */ s) => html`
        <div class="card-head"><h2>${s.label || name}</h2><${ServiceBadge} service=${s} live=${true} /></div>
        <div class="card-body">
            ${s.status === "pending" && html`<p class="muted">${t("order_status.after_payment")}</p>`}
            ${s.steps?.length > 0 && html`<${Steps} steps=${s.steps} />`}
            ${s.display === "failed" && html`<p class="bad">${s.action_note || t("service.failed_paid")}</p>`}
            ${paid && s.display === "building" && html`<p class="hint">${t("order_status.meanwhile")}</p>`}
            ${s.status === "active" && html`<div class="actions"><a class="btn primary" href=${"/portal/services/" + id}>${t("order_status.open", { name: s.label || name })}</a></div>`}
        </div>`}<//></section>`;
}

/** @param {{order: any, state: string}} props */
function Receipt({ order, state }) {
    const invoice = useResource("invoice-" + order.invoice.id, (signal) => get("/invoices/" + order.invoice.id, { signal }), ["invoices/" + order.invoice.id]);
    const pdf = invoice.data.value?.pdf_url;
    return html`<section class="card">
        <div class="card-head"><h2>${t(state === "paid" ? "order_status.receipt" : "order_status.invoice")}</h2></div>
        <div class="card-body">
            <dl class="facts">
                <div><dt>${t("invoice.number")}</dt><dd><a href=${"/portal/invoices/" + order.invoice.id}>${order.invoice.number || t("invoice.draft")}</a></dd></div>
                <div><dt>${t("invoice.total")}</dt><dd class="num strong">${money(order.total)}</dd></div>
                <div><dt>${t("invoice.date")}</dt><dd><${Day} at=${order.created} /></dd></div>
            </dl>
            ${pdf && html`<div><a class="btn" href=${pdf} download><${Icon} name="billing" />${t("invoice.pdf")}</a></div>`}
        </div>
    </section>`;
}
