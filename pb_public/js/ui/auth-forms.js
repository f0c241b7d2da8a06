import { html } from "../vendor.js";
import { openAccount, trySignIn } from "../lib/account.js";
import { emailRule, passwordMin, passwordRule, requiredRule, useForm } from "../lib/form.js";
import { t } from "../lib/i18n.js";
import { Button } from "./button.js";
import { Check, Field, Summary } from "./field.js";
import { Terms } from "./terms.js";

/**
 * E-mail and password of someone who has an account.
 * @param {{email?: string, fixed?: boolean, onDone: () => void}} props `fixed` keeps the address as it is
 */
export function SignInForm({ email = "", fixed = false, onDone }) {
    const form = useForm(() => ({ email, password: "" }), { email: emailRule, password: requiredRule("rule.password") });
    /** @param {Event} event */
    const submit = (event) => {
        event.preventDefault();
        event.stopPropagation();
        form.send(async ({ email, password }) => {
            await trySignIn(email, password);
            onDone();
        });
    };
    return html`<form class="form" novalidate onSubmit=${submit}>
        <${Summary} form=${form} />
        <${Field} form=${form} name="email" label=${t("field.email")} type="email" autocomplete="username" readonly=${fixed} />
        <${Field} form=${form} name="password" label=${t("field.password")} type="password" autocomplete="current-password" autofocus=${fixed} />
        <${Button} type="submit" kind="primary" class="big" busy=${form.busy.value}>${t("sign_in.do")}<//>
    </form>`;
}

/** The values a new account starts with. */
export const newAccount = () => ({ name: "", email: "", password: "", terms: false });

/** @type {Record<string, (value: any) => string>} */
export const newAccountRules = {
    name: requiredRule("rule.name"),
    email: emailRule,
    password: passwordRule,
};

/** The fields of a new account, for the sign-up page and for the order. @param {{form: import("../lib/form.js").Form}} props */
export const NewAccountFields = ({ form }) => html`
    <${Field} form=${form} name="name" label=${t("field.name")} autocomplete="name" />
    <${Field} form=${form} name="email" label=${t("field.email")} type="email" autocomplete="username" hint=${t("sign_up.email_hint")} />
    <${Field} form=${form} name="password" label=${t("field.password")} type="password" autocomplete="new-password" hint=${t("sign_up.password_hint", { min: passwordMin })} />`;

/** @param {{onDone: () => void, onConfirm: (email: string, password: string) => void}} props */
export function SignUpForm({ onDone, onConfirm }) {
    const form = useForm(newAccount, { ...newAccountRules, terms: (yes) => (yes ? "" : t("rule.terms")) });
    /** @param {Event} event */
    const submit = (event) => {
        event.preventDefault();
        form.send(async (values) => {
            if (await openAccount(values)) onDone();
            else onConfirm(values.email.trim(), values.password);
        });
    };
    return html`<form class="form" novalidate onSubmit=${submit}>
        <${Summary} form=${form} />
        <${NewAccountFields} form=${form} />
        <${Check} form=${form} name="terms" label=${t("field.terms")}><${Terms} /><//>
        <${Button} type="submit" kind="primary" class="big" busy=${form.busy.value}>${t("sign_up.do")}<//>
    </form>`;
}

