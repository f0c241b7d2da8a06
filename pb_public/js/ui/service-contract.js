import { html, useState } from "../vendor.js";
import { asApiError, get, post } from "../lib/api.js";
import { money } from "../lib/money.js";
import { t } from "../lib/i18n.js";
import { useResource } from "../lib/store.js";
import { toast } from "../lib/toast.js";
import { specs } from "../lib/units.js";
import { Button } from "./button.js";
import { Cancel } from "./service-cancel.js";
import { mainAddress } from "./service-state.js";
import { ErrorBox } from "./states.js";
import { Day } from "./time.js";

/** What a service costs and until when, and how that is changed or ended. @param {{service: any}} props */
export function Contract({ service: s }) {
    const of = useResource("contract-" + s.id, (signal) => get("/subscriptions/" + s.subscription_id, { signal }), ["services/" + s.id, "invoices"]);
    return html`<section class="card">
        <div class="card-head"><h2>${t("service.contract")}</h2></div>
        <div class="card-body"><dl class="facts">
            <div><dt>${t("services.plan")}</dt><dd>${s.plan?.name}</dd></div>
            ${specs(s.features ?? {}).map(([label, value]) => html`<div><dt>${label}</dt><dd class="num">${value}</dd></div>`)}
            <div><dt>${t("services.price")}</dt><dd><span class="num strong">${money(s.price)}</span> <span class="per">${t("per." + s.cycle)}</span></dd></div>
            ${s.price_change && html`<div><dt>${t("service.new_price")}</dt><dd><span class="num strong">${money(s.price_change.price)}</span> <span class="per">${t("per." + s.cycle)}</span><br /><span class="sub">${t("service.new_price_from")} <${Day} at=${s.price_change.from} /></span></dd></div>`}
            <${Ends} service=${s} subscription=${of.data.value} />
            ${s.renews_at && html`<div><dt>${t("methods.paid_by")}</dt><dd><a href="/portal/payment-methods">${t("methods.see")}</a></dd></div>`}
            ${s.deletes_at && html`<div><dt>${t(s.status === "terminated" ? "service.deleted" : "service.deletes")}</dt><dd><${Day} at=${s.deletes_at} /></dd></div>`}
            <div><dt>${t("service.since")}</dt><dd><${Day} at=${s.created} /></dd></div>
            ${mainAddress(s) && s.hostname && html`<div><dt>${t("field.hostname")}</dt><dd><span class="value">${s.hostname}</span></dd></div>`}
        </dl>
        ${of.data.value && s.status !== "terminated" && html`<${Acts} service=${s} subscription=${of.data.value} onDone=${(/** @type {any} */ fresh) => of.put(fresh)} />`}</div>
    </section>`;
}

/** When it renews, or why it does not. @param {{service: any, subscription: any}} props */
function Ends({ service: s, subscription }) {
    if (subscription?.ends_at) return html`<div><dt>${t("service.ends")}</dt><dd><${Day} at=${subscription.ends_at} /></dd></div>`;
    if (subscription?.pauses_at) return html`<div><dt>${t("service.pauses")}</dt><dd><${Day} at=${subscription.pauses_at} /></dd></div>`;
    return html`<div><dt>${t("services.renews")}</dt><dd>${s.renews_at ? html`<${Day} at=${s.renews_at} />` : t("service.no_renewal")}</dd></div>
        ${subscription?.billed_by && subscription.billed_by !== "platform" && html`<div><dt>${t("service.billed_by")}</dt><dd>${t("gateway." + subscription.billed_by)}</dd></div>`}`;
}

/** What can be done with the contract now. What cannot be is left out, but for a change, which says why. @param {{service: any, subscription: any, onDone: (subscription: any) => void}} props */
function Acts({ service: s, subscription, onDone }) {
    const [busy, setBusy] = useState("");
    const [asking, setAsking] = useState(false);
    const [failed, setFailed] = useState(/** @type {import("../lib/api.js").ApiError | null} */ (null));
    /** @type {Record<string, {allowed: boolean, why: string}>} */
    const can = Object.fromEntries(subscription.can.map((/** @type {any} */ c) => [c.act, c]));
    /** @param {string} act @param {string} path */
    const run = async (act, path) => {
        if (busy) return;
        setBusy(act);
        setFailed(null);
        try {
            const fresh = await post(`/subscriptions/${subscription.id}/${path}`);
            onDone(act === "undo_change" ? { ...subscription, change: null, can: (await get("/subscriptions/" + subscription.id)).can } : fresh);
            toast(t("contract.done_" + act));
        } catch (thrown) {
            setFailed(asApiError(thrown));
        }
        setBusy("");
    };
    const change = subscription.change;
    return html`${change && html`<div class="notice" role="status"><p>${t("contract.planned", { plan: change.to.plan.name })} ${change.effective_at && html`${t("contract.from")} <${Day} at=${change.effective_at} />`}</p>
            ${change.status === "pending" && change.invoice_id && html`<a class="btn primary" href=${"/portal/invoices/" + change.invoice_id}>${t("contract.pay_change")}</a> `}
            ${can.undo_change.allowed && html`<${Button} busy=${busy === "undo_change"} onClick=${() => run("undo_change", "changes/cancel")}>${t("contract.undo_change")}<//>`}</div>`}
        ${failed && html`<${ErrorBox} error=${failed} title=${t("contract.failed")} />`}
        <div class="actions">
            ${!change && (can.change.allowed ? html`<a class="btn" href=${`/portal/services/${s.id}/plan`}>${t("plan.title")}</a>` : html`<p class="hint">${can.change.why}</p>`)}
            ${can.resume.allowed && html`<${Button} busy=${busy === "resume"} onClick=${() => run("resume", "resume")}>${t("contract.resume")}<//>`}
            ${can.pause.allowed && html`<${Button} busy=${busy === "pause"} onClick=${() => run("pause", "pause")}>${t("contract.pause")}<//>`}
            ${can.undo_cancel.allowed && html`<${Button} kind="primary" busy=${busy === "undo_cancel"} onClick=${() => run("undo_cancel", "keep")}>${t("contract.keep")}<//>`}
            ${can.cancel.allowed && html`<${Button} kind="quiet" onClick=${() => setAsking(true)}>${t("contract.cancel")}<//>`}
        </div>
        ${asking && html`<${Cancel} service=${s} subscription=${subscription} onClose=${() => setAsking(false)} onDone=${(/** @type {any} */ fresh) => { setAsking(false); onDone(fresh); toast(t("contract.done_cancel")); }} />`}`;
}
