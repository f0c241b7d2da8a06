import { html } from "../vendor.js";
import { draft } from "../lib/draft.js";
import { t } from "../lib/i18n.js";
import { signOut, user } from "../lib/session.js";
import { NewAccountFields, SignInForm } from "./auth-forms.js";
import { CheckMail } from "./check-mail.js";
import { Segments } from "./plan-picker.js";

/**
 * Who orders: a new customer, one who signs in, or the one who is signed in. Nothing chosen above is lost on the way.
 * @param {{form: import("../lib/form.js").Form, mode: string, onMode: (mode: string) => void, waiting: null | {email: string, password: string}, onVerified: () => void}} props
 */
export function OrderAccount({ form, mode, onMode, waiting, onVerified }) {
    if (user.value) {
        return html`<div class="actions"><span>${t("order.as")} <strong>${user.value.email}</strong></span>
            <button type="button" class="link" onClick=${signOut}>${t("order.other_account")}</button></div>`;
    }
    if (waiting) return html`<${CheckMail} ...${waiting} onDone=${onVerified} onBack=${onVerified} />`;
    return html`<${Segments} legend=${t("order.account")} name="account-mode" value=${mode} onPick=${onMode}
            options=${[{ value: "new", label: t("order.account_new") }, { value: "have", label: t("order.account_have") }]} />
        ${mode === "have"
            ? html`<${SignInForm} key="have" email=${draft.peek().email} onDone=${() => {}} />
                <a href="/portal/reset">${t("sign_in.forgot")}</a>`
            : html`<form class="form" novalidate onSubmit=${toPayButton}><${NewAccountFields} form=${form} /><button type="submit" class="sr" tabindex="-1">${t("order.to_pay")}</button></form>`}`;
}

/** Enter in a field leads to the pay button, and never pays by itself. @param {Event} event */
function toPayButton(event) {
    event.preventDefault();
    document.getElementById("pay")?.focus();
}
