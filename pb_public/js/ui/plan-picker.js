import { html } from "../vendor.js";
import { minus, money, times } from "../lib/money.js";
import { specs } from "../lib/units.js";
import { t } from "../lib/i18n.js";

/** Cycles from the shortest to the longest, with their months where they have any. */
export const cycles = /** @type {Record<string, number>} */ ({
    hourly: 0, monthly: 1, quarterly: 3, semi_annual: 6, annual: 12, biennial: 24, triennial: 36, one_time: 0,
});

/** The cycles any plan of a catalog has, in order. @param {any[]} plans */
export const cyclesOf = (plans) =>
    Object.keys(cycles).filter((cycle) => plans.some((plan) => plan.prices.some((/** @type {any} */ p) => p.cycle === cycle)));

/** @param {any} plan @param {string} cycle */
export const priceOf = (plan, cycle) => plan?.prices.find((/** @type {any} */ p) => p.cycle === cycle);

/**
 * A choice of few values side by side.
 * @param {{legend: string, name: string, value: string, options: {value: string, label: string}[], onPick: (value: string) => void}} props
 */
export const Segments = ({ legend, name, value, options, onPick }) => html`<fieldset>
    <legend class="sr">${legend}</legend>
    <div class="segments">${options.map((o) => html`<label key=${o.value}>
        <input type="radio" name=${name} value=${o.value} checked=${o.value === value} onChange=${() => onPick(o.value)} /><span>${o.label}</span>
    </label>`)}</div>
</fieldset>`;

/** The plans as cards of one radio group; `own` is the id of the one that the customer has. @param {{plans: any[], plan: string, cycle: string, own?: string, onPick: (slug: string) => void}} props */
export const PlanPicker = ({ plans, plan, cycle, own = "", onPick }) => html`<fieldset>
    <legend class="sr">${t("order.plan")}</legend>
    <div class="plans">${plans.map((p) => html`<${Plan} key=${p.id} plan=${p} cycle=${cycle} own=${p.id === own} checked=${p.slug === plan} onPick=${onPick} />`)}</div>
</fieldset>`;

/** @param {{plan: any, cycle: string, own: boolean, checked: boolean, onPick: (slug: string) => void}} props */
function Plan({ plan, cycle, own, checked, onPick }) {
    const price = priceOf(plan, cycle);
    const out = plan.sold_out && !own || !price;
    return html`<label class="plan" data-out=${out ? "" : undefined}>
        <input type="radio" name="plan" value=${plan.slug} checked=${checked && !out} disabled=${out} onChange=${() => onPick(plan.slug)} />
        <span class="plan-name">${plan.name}${own && html`<span class="tag">${t("plan.yours")}</span>`}${plan.badges?.map((/** @type {string} */ b) => html`<span class="tag accent">${t("plan_badge." + b)}</span>`)}</span>
        <${Price} price=${price} plan=${plan} />
        ${plan.sold_out && !own ? html`<span class="note bad">✕ ${t("order.sold_out")}</span>`
            : plan.stock !== null && plan.stock <= 5 && html`<span class="note warn">${t("order.left", { count: plan.stock })}</span>`}
        ${plan.description && html`<span class="note">${plan.description}</span>`}
        <ul class="specs">${specs(plan.features ?? {}).map(([label, value]) => html`<li><span>${label}</span><span class="num">${value}</span></li>`)}</ul>
    </label>`;
}

/** @param {{price: any, plan: any}} props */
function Price({ price, plan }) {
    if (!price) return html`<span class="price muted">${t("order.no_price")}</span>`;
    const months = cycles[price.cycle];
    const monthly = priceOf(plan, "monthly");
    const saved = months > 1 && monthly ? minus(times(monthly.amount, months), price.amount) : null;
    return html`<span><span class="price num">${money(price.amount)}</span> <small class="per">${t("per." + price.cycle)}</small></span>
        ${months > 1 && price.monthly_equivalent && html`<span class="note">${t("order.equals", { amount: money(price.monthly_equivalent) })}${saved && saved.minor > 0 && html` · <span class="ok">${t("order.saves", { amount: money(saved) })}</span>`}</span>`}
        ${price.setup_fee?.minor > 0 && html`<span class="note">${t("order.setup", { amount: money(price.setup_fee) })}</span>`}`;
}
