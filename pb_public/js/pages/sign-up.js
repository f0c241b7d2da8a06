import { html, useState } from "../vendor.js";
import { t } from "../lib/i18n.js";
import { go, place, safeNext } from "../lib/router.js";
import { Heading } from "../ui/page.js";
import { SignUpForm } from "../ui/auth-forms.js";
import { CheckMail } from "../ui/check-mail.js";

/** A new account. The answer is the same whether or not the address was known, so it tells strangers nothing. */
export default function SignUp() {
    const next = place.value.query.get("next");
    const [made, setMade] = useState(/** @type {null | {email: string, password: string}} */ (null));
    if (made) {
        return html`<div class="page narrow">
            <${Heading} title=${t("check_mail.title")} />
            <${CheckMail} ...${made} onBack=${() => setMade(null)} onDone=${() => go(safeNext(next), { replace: true })} />
        </div>`;
    }
    return html`<div class="page narrow">
        <${Heading} title=${t("sign_up.title")} />
        <${SignUpForm} onDone=${() => go(safeNext(next), { replace: true })} onConfirm=${(/** @type {string} */ email, /** @type {string} */ password) => setMade({ email, password })} />
        <p>${t("sign_up.have")} <a href=${"/portal/sign-in" + (next ? "?next=" + encodeURIComponent(next) : "")}>${t("sign_in.do")}</a></p>
    </div>`;
}
