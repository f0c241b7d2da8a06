import { html, useMemo, useState } from "../vendor.js";
import { asApiError, get, post } from "../lib/api.js";
import { money } from "../lib/money.js";
import { t } from "../lib/i18n.js";
import { useQuote } from "../lib/quote.js";
import { go } from "../lib/router.js";
import { useResource } from "../lib/store.js";
import { toast } from "../lib/toast.js";
import { Button } from "../ui/button.js";
import { Heading } from "../ui/page.js";
import { cyclesOf, PlanPicker, priceOf, Segments } from "../ui/plan-picker.js";
import { ErrorBox, Loaded } from "../ui/states.js";
import { Sums } from "../ui/sums.js";
import { Day } from "../ui/time.js";

/** Another plan or cycle for a service, at the price that the server names beforehand. @param {{id: string}} props */
export default function ChangePlan({ id }) {
    const both = useResource("plan-of-" + id, async (signal) => {
        const service = await get("/services/" + id, { signal });
        const subscription = await get("/subscriptions/" + service.subscription_id, { signal });
        const catalog = await get("/catalog?currency=" + subscription.unit_price.currency, { signal });
        const own = catalog.plans.find((/** @type {any} */ p) => p.id === subscription.plan.id);
        const within = (/** @type {any} */ p) => p === own || p.service_type === service.service_type && (own ? own.change_group !== "" && p.change_group === own.change_group : true);
        return { service, subscription, plans: catalog.plans.filter(within) };
    }, ["services/" + id, "plans"]);
    const service = both.data.value?.service;
    const name = service ? service.label || service.hostname || service.plan.name : t("service.one");
    return html`<div class="page">
        <${Heading} title=${t("plan.title")} section=${name} crumb=${html`<a href=${"/portal/services/" + id}>${name}</a>`} />
        <${Loaded} of=${both} heights=${[40, 240]}>${(/** @type {any} */ d) => {
            const can = d.subscription.can.find((/** @type {any} */ c) => c.act === "change");
            return can.allowed ? html`<${Choose} id=${id} subscription=${d.subscription} plans=${d.plans} />`
                : html`<div class="notice"><p>${can.why}</p><a class="btn" href=${"/portal/services/" + id}>${t("plan.back")}</a></div>`;
        }}<//>
    </div>`;
}

/** @param {{id: string, subscription: any, plans: any[]}} props */
function Choose({ id, subscription: s, plans }) {
    const own = plans.find((p) => p.id === s.plan.id);
    const [picked, setPicked] = useState({ plan: own?.slug ?? "", cycle: s.cycle, timing: "now" });
    const cycles = cyclesOf(plans).filter((c) => c !== "one_time");
    const plan = plans.find((p) => p.slug === picked.plan);
    const price = priceOf(plan, picked.cycle);
    const same = plan?.id === s.plan.id && picked.cycle === s.cycle;
    const wish = price && !same ? { timing: picked.timing, price: price.id } : null;
    const quoted = useQuote(wish, `/subscriptions/${s.id}/changes/preview`);
    /** @param {Partial<typeof picked>} more */
    const pick = (more) => setPicked({ ...picked, ...more });
    return html`<div class="split">
        <div class="stack">
            ${cycles.length > 1 && html`<${Segments} legend=${t("order.cycle")} name="cycle" value=${picked.cycle} options=${cycles.map((c) => ({ value: c, label: t("cycle." + c) }))} onPick=${(/** @type {string} */ cycle) => pick({ cycle })} />`}
            <${PlanPicker} plans=${plans} plan=${picked.plan} cycle=${picked.cycle} own=${s.plan.id} onPick=${(/** @type {string} */ slug) => pick({ plan: slug })} />
        </div>
        <${Confirm} id=${id} subscription=${s} wish=${wish} quoted=${quoted} timing=${picked.timing} onTiming=${(/** @type {string} */ timing) => pick({ timing })} />
    </div>`;
}

/** What the change costs, when it begins, and the button that agrees it. @param {{id: string, subscription: any, wish: any, quoted: import("../lib/quote.js").Quoting, timing: string, onTiming: (timing: string) => void}} props */
function Confirm({ id, subscription: s, wish, quoted, timing, onTiming }) {
    const { quote, error, busy } = quoted.state.value;
    const [sending, setSending] = useState(false);
    const [failed, setFailed] = useState(/** @type {import("../lib/api.js").ApiError | null} */ (null));
    const shown = wish && quoted.state.value.of === JSON.stringify(wish) ? quote : null;
    const key = useMemo(() => crypto.randomUUID(), [JSON.stringify(wish), shown?.total.minor]);
    const agree = async () => {
        setSending(true);
        setFailed(null);
        try {
            const change = await post(`/subscriptions/${s.id}/changes`, { ...wish, client_key: key, total_minor: shown.total.minor, credit_minor: shown.credit.minor });
            if (change.status === "pending" && change.invoice_id) return go("/portal/invoices/" + change.invoice_id);
            toast(t(timing === "now" ? "plan.changed" : "plan.planned"));
            return go("/portal/services/" + id);
        } catch (thrown) {
            setFailed(asApiError(thrown));
            quoted.again();
        }
        return setSending(false);
    };
    return html`<section class="card sticky" aria-label=${t("order.summary")}>
        <div class="card-head"><h2>${t("plan.summary")}</h2></div>
        <div class="card-body">
            <fieldset><legend class="sr">${t("plan.when")}</legend><div class="radios">
                <label class="radio"><input type="radio" name="timing" value="now" checked=${timing === "now"} onChange=${() => onTiming("now")} /><span><span class="strong">${t("plan.now")}</span><br /><span class="muted small">${t("plan.now_text")}</span></span></label>
                <label class="radio"><input type="radio" name="timing" value="period_end" checked=${timing === "period_end"} onChange=${() => onTiming("period_end")} /><span><span class="strong">${t("plan.later")}</span><br /><span class="muted small">${s.current_period ? html`${t("plan.later_from")} <${Day} at=${s.current_period.end} />` : t("plan.later_text")}</span></span></label>
            </div></fieldset>
            <div aria-live="polite" aria-busy=${busy}>
                ${!wish && html`<p class="muted">${t("plan.pick")}</p>`}
                ${wish && !shown && !error && html`<div class="skel box" style=${{ "--h": "128px" }}></div>`}
                ${shown && html`<${Costs} of=${shown} />`}
            </div>
            ${error && html`<${ErrorBox} error=${error} title=${t("plan.refused")} retry=${error.status >= 500 || error.lost ? quoted.again : undefined} busy=${busy} />`}
            ${failed && html`<${ErrorBox} error=${failed} title=${t("plan.failed")} />`}
            <${Button} kind="primary" class="big" busy=${sending} disabled=${!shown || busy} onClick=${agree}>
                ${shown && shown.due.minor > 0 ? t("plan.do_pay", { amount: money(shown.due) }) : t(timing === "now" ? "plan.do" : "plan.do_later")}<//>
            <p class="hint">${t(shown?.due.minor > 0 ? "plan.hint_pay" : "plan.hint")}</p>
        </div>
    </section>`;
}

/** The server's figures: what is charged and given back today, and what is due next. @param {{of: any}} props */
const Costs = ({ of }) => html`${of.lines.length > 0 && html`<${Sums} of=${of} totalLabel=${t("order.today")} />`}
    ${of.credit.minor > 0 && html`<p class="ok">${t("plan.credit", { amount: money(of.credit) })}</p>`}
    ${of.lowered.minor > 0 && html`<p>${t("plan.lowered", { amount: money(of.lowered) })}</p>`}
    ${of.effective_at && html`<p>${t("plan.begins")} <${Day} at=${of.effective_at} />.</p>`}
    ${of.next_invoice && html`<p class="muted">${t("order.then", { amount: money(of.next_invoice.total), per: t("per." + of.to.cycle) })} <${Day} at=${of.next_invoice.period.start} /></p>`}
    ${of.by_staff && html`<p class="note">${t("plan.by_staff")}</p>`}`;
