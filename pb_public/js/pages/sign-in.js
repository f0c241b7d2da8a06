import { html } from "../vendor.js";
import { t } from "../lib/i18n.js";
import { go, place, safeNext } from "../lib/router.js";
import { Heading } from "../ui/page.js";
import { SignInForm } from "../ui/auth-forms.js";

/** Signing in; afterwards the person is where they wanted to go. */
export default function SignIn() {
    const next = place.value.query.get("next");
    const onward = next ? "?next=" + encodeURIComponent(next) : "";
    return html`<div class="page narrow">
        <${Heading} title=${t("sign_in.title")} />
        <${SignInForm} onDone=${() => go(safeNext(next), { replace: true })} />
        <div class="actions">
            <a href="/portal/reset">${t("sign_in.forgot")}</a><span aria-hidden="true" class="muted">·</span>
            <a href=${"/portal/sign-up" + onward}>${t("sign_in.new")}</a>
        </div>
    </div>`;
}
