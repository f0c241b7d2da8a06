import { html } from "../vendor.js";
import { draft, edit } from "../lib/draft.js";
import { t } from "../lib/i18n.js";
import { Field } from "./field.js";

const manyOptions = 9;

/** The values of a plan's choices: what the person picked where the plan has it, else the first of what is required. @param {any} plan @param {Record<string, string>} picked */
export function choicesOf(plan, picked) {
    /** @type {Record<string, string>} */
    const values = {};
    for (const choice of plan.choices ?? []) {
        const known = choice.options.some((/** @type {any} */ o) => o.value === picked[choice.name]);
        const value = known ? picked[choice.name] : choice.required ? choice.options[0]?.value : undefined;
        if (value !== undefined) values[choice.name] = value;
    }
    return values;
}

/** @param {string} value */
export function hostnameRule(value) {
    const name = value.trim();
    if (name === "") return "";
    const labels = name.split(".");
    const fits = name.length <= 253 && labels.every((l) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(l));
    return fits ? "" : t("rule.hostname");
}

/** What a plan lets one choose, and the machine's name. @param {{plan: any, form: import("../lib/form.js").Form}} props */
export function OrderOptions({ plan, form }) {
    const values = choicesOf(plan, draft.value.choices);
    /** @param {string} name @param {string} value */
    const pick = (name, value) => edit({ choices: { ...draft.peek().choices, [name]: value } });
    return html`${plan.choices?.map((/** @type {any} */ choice) => html`<${Choice} key=${choice.name} choice=${choice} value=${values[choice.name] ?? ""} onPick=${(/** @type {string} */ v) => pick(choice.name, v)} />`)}
        <${Field} form=${form} name="hostname" label=${t("field.hostname")} optional=${true} hint=${t("order.hostname_hint")} placeholder="web-1.example.com"
            autocapitalize="off" autocomplete="off" spellcheck=${false} inputmode="url" />`;
}

/** @param {{choice: any, value: string, onPick: (value: string) => void}} props */
function Choice({ choice, value, onPick }) {
    const id = "choice-" + choice.name;
    if (choice.options.length > manyOptions) {
        return html`<div class="field"><label for=${id}>${choice.label}</label>
            <select id=${id} class="input" value=${value} onChange=${(/** @type {any} */ e) => onPick(e.target.value)}>
                ${!choice.required && html`<option value="">${t("order.none")}</option>`}
                ${choice.options.map((/** @type {any} */ o) => html`<option value=${o.value}>${o.label}</option>`)}
            </select></div>`;
    }
    return html`<fieldset class="field"><legend class="label">${choice.label}</legend>
        <div class="row2 os">${choice.options.map((/** @type {any} */ o) => html`<label class="radio" key=${o.value}>
            <input type="radio" name=${id} value=${o.value} checked=${o.value === value} onChange=${() => onPick(o.value)} /><span>${o.label}</span>
        </label>`)}</div>
    </fieldset>`;
}
