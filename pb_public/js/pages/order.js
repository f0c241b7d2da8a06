import { html, useEffect, useState } from "../vendor.js";
import { get } from "../lib/api.js";
import { draft, edit } from "../lib/draft.js";
import { useForm } from "../lib/form.js";
import { t } from "../lib/i18n.js";
import { placeOrder } from "../lib/place-order.js";
import { useQuote } from "../lib/quote.js";
import { place, setQuery } from "../lib/router.js";
import { signedIn } from "../lib/session.js";
import { useResource } from "../lib/store.js";
import { newAccountRules } from "../ui/auth-forms.js";
import { OrderAccount } from "../ui/order-account.js";
import { choicesOf, hostnameRule, OrderOptions } from "../ui/order-options.js";
import { OrderPayment, OrderSummary } from "../ui/order-summary.js";
import { Heading } from "../ui/page.js";
import { cyclesOf, PlanPicker, priceOf, Segments } from "../ui/plan-picker.js";
import { Empty, Loaded } from "../ui/states.js";
import { useConfig } from "../ui/terms.js";

/** Catalog and order on one page: everything chosen is kept in this tab, and every amount comes from the server. */
export default function Order() {
    const config = useConfig();
    return html`<div class="page">
        <${Heading} title=${t("order.title")} />
        <${Loaded} of=${config} heights=${[52, 300]}>${(/** @type {any} */ c) => html`<${WithCurrency} config=${c} />`}<//>
    </div>`;
}

/** @param {{config: any}} props */
function WithCurrency({ config }) {
    const wanted = place.value.query.get("currency") || draft.value.currency;
    const currency = config.currencies.includes(wanted) ? wanted : config.currencies[0];
    const catalog = useResource("catalog-" + currency, (signal) => get("/catalog?currency=" + currency, { signal }), ["plans"]);
    return html`<${Loaded} of=${catalog} heights=${[52, 300]}>${(/** @type {any} */ c) =>
        c.plans.length === 0
            ? html`<div class="card"><${Empty} title=${t("order.empty_title")}><p>${t("order.empty")}</p><//></div>`
            : html`<${Configure} config=${config} catalog=${c} currency=${currency} refresh=${() => catalog.refresh()} />`}<//>`;
}

/** What the address and the draft say, brought to something the catalog has. @param {any} catalog */
function chosen(catalog) {
    const { query } = place.value;
    const available = cyclesOf(catalog.plans);
    const wantedCycle = query.get("cycle") || draft.value.cycle;
    const cycle = available.includes(wantedCycle) ? wantedCycle : available.includes("monthly") ? "monthly" : available[0];
    const wanted = query.get("plan") || draft.value.plan;
    const orderable = (/** @type {any} */ p) => !p.sold_out && priceOf(p, cycle);
    const plan = catalog.plans.find((/** @type {any} */ p) => p.slug === wanted && orderable(p))
        ?? catalog.plans.find((/** @type {any} */ p) => p.badges?.includes("popular") && orderable(p)) ?? catalog.plans.find(orderable);
    return { cycle, cycles: available, plan, missed: wanted && plan?.slug !== wanted ? catalog.plans.find((/** @type {any} */ p) => p.slug === wanted) : null };
}

/** @param {{config: any, catalog: any, currency: string, refresh: () => void}} props */
function Configure({ config, catalog, currency, refresh }) {
    const { cycle, cycles, plan, missed } = chosen(catalog);
    const [mode, setMode] = useState("new");
    const [waiting, setWaiting] = useState(/** @type {null | {email: string, password: string}} */ (null));
    const guest = !signedIn.value;
    const account = (/** @type {(v: any) => string} */ rule) => (/** @type {any} */ v) => (guest && mode === "new" && !waiting ? rule(v) : "");
    const form = useForm(
        () => ({ hostname: draft.peek().hostname, name: draft.peek().name, email: draft.peek().email, password: "", terms: false, coupon: "" }),
        { hostname: hostnameRule, name: account(newAccountRules.name), email: account(newAccountRules.email),
          password: account(newAccountRules.password), terms: (yes) => (yes ? "" : t("rule.terms")) },
    );
    const { hostname, name, email } = form.values.value;
    useEffect(() => edit({ hostname, name, email }), [hostname, name, email]);
    useEffect(() => edit({ plan: plan?.slug ?? "", cycle, currency }), [plan?.slug, cycle, currency]);

    const price = priceOf(plan, cycle);
    const item = price && { price: price.id, quantity: 1, hostname: hostnameRule(hostname) ? "" : hostname.trim(), choices: choicesOf(plan, draft.value.choices) };
    const coupons = draft.value.coupon ? [draft.value.coupon] : [];
    const quoted = useQuote(item ? { currency, items: [item], coupons } : null);
    const gateway = config.gateways.find((/** @type {any} */ g) => g.id === draft.value.gateway) ?? config.gateways[0];
    const pay = () => placeOrder({ form, gateway, quoted, currency, items: [item], coupons, mode, waiting, setWaiting, refresh });

    return html`<div class="split">
        <div class="stack">
            <section class="stack tight" aria-label=${t("order.plan")}>
                <div class="head">
                    ${cycles.length > 1 && html`<${Segments} legend=${t("order.cycle")} name="cycle" value=${cycle} onPick=${(/** @type {string} */ v) => setQuery({ cycle: v })}
                        options=${cycles.map((c) => ({ value: c, label: t("cycle." + c) }))} />`}
                    ${config.currencies.length > 1 && html`<${Segments} legend=${t("order.currency")} name="currency" value=${currency} onPick=${(/** @type {string} */ v) => setQuery({ currency: v })}
                        options=${config.currencies.map((/** @type {string} */ c) => ({ value: c, label: c }))} />`}
                </div>
                ${missed && html`<div class="notice" data-kind="warn" role="status"><p>${t("order.missed", { plan: missed.name })}</p></div>`}
                <${PlanPicker} plans=${catalog.plans} plan=${plan?.slug ?? ""} cycle=${cycle} onPick=${(/** @type {string} */ v) => setQuery({ plan: v })} />
            </section>
            ${plan && html`
                <section class="card"><div class="card-head"><h2>${t("order.configure", { plan: plan.name })}</h2></div>
                    <div class="card-body"><${OrderOptions} plan=${plan} form=${form} /></div></section>
                <section class="card"><div class="card-head"><h2>${t("order.account")}</h2></div>
                    <div class="card-body"><${OrderAccount} form=${form} mode=${mode} onMode=${setMode} waiting=${waiting} onVerified=${() => setWaiting(null)} /></div></section>
                <section class="card"><div class="card-head"><h2>${t("order.payment")}</h2></div>
                    <div class="card-body"><${OrderPayment} gateways=${config.gateways} gateway=${gateway} onPick=${(/** @type {string} */ v) => edit({ gateway: v })} /></div></section>`}
        </div>
        ${plan && html`<${OrderSummary} form=${form} quoted=${quoted} gateway=${gateway} guest=${guest} mode=${mode} waiting=${waiting !== null} onPay=${pay} />`}
    </div>`;
}
