import { html, useState } from "../vendor.js";
import { asApiError, get, post } from "../lib/api.js";
import { has, t } from "../lib/i18n.js";
import { useResource } from "../lib/store.js";
import { toast } from "../lib/toast.js";
import { announce } from "../ui/announcer.js";
import { Button } from "../ui/button.js";
import { Heading } from "../ui/page.js";
import { Access } from "../ui/service-access.js";
import { Contract } from "../ui/service-contract.js";
import { Power } from "../ui/service-power.js";
import { Reinstall } from "../ui/service-reinstall.js";
import { Rename } from "../ui/service-rename.js";
import { ServiceBadge } from "../ui/service-state.js";
import { Usage } from "../ui/service-usage.js";
import { Loaded } from "../ui/states.js";
import { Steps } from "../ui/steps.js";
import { Ago } from "../ui/time.js";

/** One service: what it is, whether it runs, how to get in, what it uses, what it costs and until when. @param {{id: string}} props */
export default function Service({ id }) {
    const service = useResource("service-" + id, (signal) => get("/services/" + id, { signal }), ["services/" + id]);
    const [doing, setDoing] = useState("");
    const [failed, setFailed] = useState(/** @type {null | {action: string, text: string, run: () => void}} */ (null));
    const data = service.data.value;
    const name = data ? data.label || data.hostname || data.plan?.name : t("service.one");

    /**
     * Does something to the machine: the badge says so at once, and goes back with the reason when it is refused.
     * @param {string} word the key of what is being done
     * @param {string} path @param {unknown} [body]
     */
    const act = async (word, path, body) => {
        if (doing) return;
        setDoing(word);
        setFailed(null);
        try {
            service.put(await post(`/services/${id}/${path}`, body));
            announce(t("doing." + word));
        } catch (thrown) {
            setFailed({ action: word, text: asApiError(thrown).message, run: () => act(word, path, body) });
            service.refresh();
        }
        setDoing("");
    };
    /** @param {any} fresh the service, to which something is being done now */
    const done = (fresh) => {
        service.put(fresh);
        announce(t("doing." + fresh.action));
    };
    return html`<div class="page">
        <${Heading} title=${name} section=${t("nav.services")} crumb=${html`<a href="/portal/services">${t("nav.services")}</a>`}
            beside=${data && html`<${Rename} service=${data} onSaved=${(/** @type {any} */ s) => { service.put(s); toast(t("service.renamed")); }} />`}>
            ${data && html`<${ServiceBadge} service=${data} doing=${doing} live=${true} />`}
        <//>
        ${failed && html`<div class="notice" data-kind="bad" role="alert"><h2>${t("service.not_done", { action: t("did." + failed.action) })}</h2><p>${failed.text}</p>
            <${Button} onClick=${failed.run}>${t("do.retry")}<//></div>`}
        <${Loaded} of=${service} heights=${[180, 240]}>${(/** @type {any} */ s) => html`<${Body} service=${s} doing=${doing} act=${act} onDone=${done} />`}<//>
    </div>`;
}

/** @param {{service: any, doing: string, act: (word: string, path: string, body?: unknown) => void, onDone: (service: any) => void}} props */
function Body({ service: s, doing, act, onDone }) {
    const building = s.status === "pending" || s.status === "provisioning";
    const renewed = s.action === "reinstall";
    return html`<${State} service=${s} />
        <${Change} service=${s} />
        <div class="split">
            <div class="stack">
                ${(building || renewed) && s.steps?.length > 0 && html`<section class="card"><div class="card-head"><h2>${t(renewed ? "reinstall.under_way" : "service.building")}</h2></div><div class="card-body"><${Steps} steps=${s.steps} /></div></section>`}
                ${s.status !== "terminated" && !building && html`<${Access} service=${s} doing=${doing} act=${act} />
                    ${s.abilities.includes("usage") && html`<${Usage} service=${s} doing=${doing} act=${act} />`}`}
                <${Activity} items=${s.activity ?? []} />
            </div>
            <div class="stack">
                ${s.abilities.includes("power") && !building && s.status !== "terminated" && html`<${Power} service=${s} doing=${doing} act=${act} />`}
                ${s.abilities.includes("reinstall") && s.status === "active" && html`<${Reinstall} service=${s} doing=${doing} onDone=${onDone} />`}
                <${Contract} service=${s} />
            </div>
        </div>`;
}

/** Why a service does not run as it should, and what follows. @param {{service: any}} props */
function State({ service: s }) {
    if (s.display === "suspended") return html`<div class="notice" data-kind="warn"><h2>${t("service.suspended_title")}</h2><p>${s.action_note || t("service.suspended")}</p><a class="btn" href="/portal/invoices?status=open">${t("service.see_invoices")}</a></div>`;
    if (s.display === "failed") return html`<div class="notice" data-kind="bad" role="alert"><h2>${t("service.failed_title")}</h2><p>${s.action_note || t("service.failed_paid")}</p></div>`;
    if (s.status === "terminated") return html`<div class="notice"><p>${t("service.terminated")}</p></div>`;
    return s.action_note ? html`<div class="notice" role="status"><p>${s.action_note}</p></div>` : null;
}

/** A change of plan or options that is not at the machine yet, and what it needs of the customer afterwards. @param {{service: any}} props */
function Change({ service: s }) {
    if (s.plan_change) return html`<div class="notice" role="status"><h2>${t("service.change_title", { plan: s.plan_change.plan.name })}</h2><p>${t("service.change_" + s.plan_change.state)}</p></div>`;
    if (s.restart_needed) return html`<div class="notice" data-kind="warn" role="status"><h2>${t("service.restart_title")}</h2><p>${t("service.restart_text")}</p></div>`;
    return null;
}

/** @param {{items: any[]}} props */
const Activity = ({ items }) => html`<section class="card">
    <div class="card-head"><h2>${t("service.activity")}</h2></div>
    <div class="card-body">${items.length === 0
        ? html`<p class="muted">${t("service.no_activity")}</p>`
        : html`<ol class="log">${items.map((one) => html`<li>
            <span>${one.text || (has("act." + one.action) ? t("act." + one.action) : one.action.replaceAll("_", " "))}<br /><span class="sub">${t("actor." + one.actor)}${one.status !== "done" && html` · <span class=${one.status === "failed" ? "bad" : ""}>${t("activity." + one.status)}</span>`}</span></span>
            <span class="sub"><${Ago} at=${one.at} /></span></li>`)}</ol>`}</div>
</section>`;
