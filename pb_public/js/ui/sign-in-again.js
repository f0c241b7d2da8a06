import { html } from "../vendor.js";
import { t } from "../lib/i18n.js";
import { answerSignIn } from "../lib/session.js";
import { SignInForm } from "./auth-forms.js";
import { Dialog } from "./dialog.js";

/** The question that stands between a session that ended and going on with what was being done. @param {{email: string}} props */
export const SignInAgain = ({ email }) => html`<${Dialog} title=${t("again.title")} onClose=${() => answerSignIn("left")} closable=${false}>
    <p class="muted">${t("again.text")}</p>
    <${SignInForm} email=${email} fixed=${email !== ""} onDone=${() => answerSignIn("again")} />
    <button type="button" class="link" onClick=${() => answerSignIn("left")}>${t("again.leave")}</button>
<//>`;
