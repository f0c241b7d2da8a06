import { useMemo, useRef, signal, batch } from "../vendor.js";
import { asApiError } from "./api.js";
import { t } from "./i18n.js";

/**
 * The state of one form: values, an error per field, and what to do with the server's refusal. Fields are checked when they
 * are left and when the form is sent, never on each letter; a field already marked wrong is checked again as it is mended.
 */
export class Form {
    /**
     * @param {Record<string, any>} values
     * @param {Record<string, (value: any, values: Record<string, any>) => string>} rules "" or a sentence that says how to mend it
     */
    constructor(values, rules) {
        this.id = "f" + Math.random().toString(36).slice(2, 8);
        this.rules = rules;
        this.values = signal(values);
        this.errors = signal(/** @type {Record<string, string>} */ ({}));
        this.problem = signal(/** @type {import("./api.js").ApiError | null} */ (null));
        this.busy = signal(false);
        /** Labels by field, noted as fields are drawn, for the summary. @type {Record<string, string>} */
        this.labels = {};
    }

    /** @param {string} name @param {any} value */
    set(name, value) {
        this.values.value = { ...this.values.peek(), [name]: value };
        if (this.errors.peek()[name]) this.check(name);
    }

    /** @param {string} name */
    check(name) {
        const text = this.rules[name]?.(this.values.peek()[name], this.values.peek()) ?? "";
        const { [name]: _, ...others } = this.errors.peek();
        this.errors.value = text ? { ...others, [name]: text } : others;
        return text === "";
    }

    /** Checks all fields; on failure the summary takes the focus. */
    checkAll() {
        const ok = Object.keys(this.rules).map((name) => this.check(name)).every(Boolean);
        if (!ok) this.focusSummary();
        return ok;
    }

    /**
     * Shows the server's refusal: at the fields it names, the rest above the form.
     * @param {unknown} thrown
     * @param {Record<string, string>} [names] the server's field names where they differ from the form's
     */
    refuse(thrown, names = {}) {
        const error = asApiError(thrown);
        /** @type {Record<string, string>} */
        const errors = {};
        for (const { field, message } of error.fields) {
            const name = names[field] ?? field;
            if (name in this.values.peek()) errors[name] = message;
        }
        batch(() => {
            this.errors.value = errors;
            this.problem.value = error;
        });
        this.focusSummary();
        return error;
    }

    /** Runs the form's action once at a time. @param {(values: Record<string, any>) => Promise<void>} action @param {Record<string, string>} [names] */
    async send(action, names) {
        if (this.busy.peek()) return;
        this.problem.value = null;
        if (!this.checkAll()) return;
        this.busy.value = true;
        try {
            await action(this.values.peek());
        } catch (thrown) {
            this.refuse(thrown, names);
        } finally {
            this.busy.value = false;
        }
    }

    focusSummary() {
        requestAnimationFrame(() => document.getElementById(this.id + "-summary")?.focus());
    }
}

/**
 * A form that lives as long as its component.
 * @param {() => Record<string, any>} initial
 * @param {Form["rules"]} rules
 */
export function useForm(initial, rules) {
    const latest = useRef(rules);
    latest.current = rules;
    return useMemo(() => new Form(initial(), new Proxy(rules, { get: (_, name) => latest.current[/** @type {string} */ (name)] })), []);
}

/** @param {string} value */
export const emailRule = (value) => (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value.trim()) ? "" : t("rule.email"));
/** @param {string} key */
export const requiredRule = (key) => (/** @type {string} */ value) => (value.trim() ? "" : t(key));

export const passwordMin = 10;
const passwordMaxBytes = 71;

/** @param {string} value */
export function passwordRule(value) {
    if ([...value].length < passwordMin) return t("rule.password_short", { min: passwordMin });
    if (new TextEncoder().encode(value).length > passwordMaxBytes) return t("rule.password_long");
    return "";
}
