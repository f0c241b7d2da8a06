import { html, useState } from "../vendor.js";
import { t } from "../lib/i18n.js";

/**
 * A labelled input of a Form: hint told beforehand, error at the field, both read out with it. `mark` says whether an optional field is marked.
 * @param {{form: import("../lib/form.js").Form, name: string, label: string, hint?: any, optional?: boolean, mark?: boolean, type?: string, children?: any, [more: string]: any}} props
 */
export function Field({ form, name, label, hint, optional = false, mark = true, type = "text", children, ...more }) {
    const id = `${form.id}-${name}`;
    const error = form.errors.value[name];
    form.labels[name] = label;
    const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
    const common = {
        id, name, class: "input", "aria-describedby": described, "aria-invalid": error ? "true" : undefined,
        "aria-required": optional ? undefined : "true", ...more,
        onInput: (/** @type {any} */ event) => form.set(name, event.target.value),
        onBlur: (/** @type {any} */ event) => event.target.value !== "" && form.check(name),
    };
    return html`<div class="field">
        <label for=${id}>${label}${optional && mark && html` <span class="opt">${t("form.optional")}</span>`}</label>
        ${hint && html`<div class="hint" id="${id}-hint">${hint}</div>`}
        ${children
            ? html`<select ...${common} value=${form.values.value[name]}>${children}</select>`
            : type === "password"
              ? html`<${Password} common=${common} value=${form.values.value[name]} />`
              : html`<input ...${common} type=${type} value=${form.values.value[name]} />`}
        <${FieldError} id="${id}-error" text=${error} />
    </div>`;
}

/** @param {{id: string, text?: string}} props */
export const FieldError = ({ id, text }) => html`<div id=${id} class="field-error" hidden=${!text}>${text}</div>`;

/** @param {{common: any, value: string}} props */
function Password({ common, value }) {
    const [shown, setShown] = useState(false);
    return html`<div class="with-btn">
        <input ...${common} type=${shown ? "text" : "password"} value=${value} autocapitalize="off" spellcheck=${false} />
        <button type="button" class="link" aria-pressed=${shown} aria-label=${t("form.show_password")} onClick=${() => setShown(!shown)}>${t(shown ? "do.hide" : "do.show")}</button>
    </div>`;
}

/** @param {{form: import("../lib/form.js").Form, name: string, label: string, children?: any}} props */
export function Check({ form, name, label, children }) {
    const id = `${form.id}-${name}`;
    const error = form.errors.value[name];
    form.labels[name] = label;
    return html`<div class="field">
        <label class="check">
            <input id=${id} type="checkbox" checked=${form.values.value[name]} aria-invalid=${error ? "true" : undefined} aria-describedby=${error ? `${id}-error` : undefined}
                onChange=${(/** @type {any} */ event) => form.set(name, event.target.checked)} />
            <span>${children ?? label}</span>
        </label>
        <${FieldError} id="${id}-error" text=${error} />
    </div>`;
}

/** Everything that is wrong with a form, above it, with links to the fields. @param {{form: import("../lib/form.js").Form}} props */
export function Summary({ form }) {
    const errors = Object.entries(form.errors.value);
    const problem = form.problem.value;
    const id = form.id + "-summary";
    if (errors.length === 0 && !problem) return html`<div id=${id} tabindex="-1" hidden></div>`;
    /** @param {Event} event @param {string} name */
    const jump = (event, name) => {
        event.preventDefault();
        document.getElementById(`${form.id}-${name}`)?.focus();
    };
    return html`<div id=${id} class="notice" data-kind="bad" role="alert" tabindex="-1">
        <h2>${problem ? problem.message : t("form.summary", { count: errors.length })}</h2>
        ${errors.length > 0 && html`<ul>${errors.map(([name, text]) => html`
            <li><a href="#${form.id}-${name}" onClick=${(/** @type {Event} */ e) => jump(e, name)}>${form.labels[name] ?? name}</a>: ${text}</li>`)}</ul>`}
        ${problem?.reference && html`<p class="small muted">${t("error.reference", { reference: problem.reference })}</p>`}
    </div>`;
}
