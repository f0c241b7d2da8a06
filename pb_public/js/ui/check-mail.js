import { html, useEffect, useRef, useState } from "../vendor.js";
import { trySignIn } from "../lib/account.js";
import { asApiError } from "../lib/api.js";
import { requestVerification } from "../lib/session.js";
import { rich, t } from "../lib/i18n.js";
import { toast } from "../lib/toast.js";
import { Button } from "./button.js";

/**
 * Stands where a confirmed address is needed: asks to open the link in the mail and goes on by itself when the person comes
 * back to this tab. The password stays in memory for that, nowhere else.
 * @param {{email: string, password: string, onDone: () => void, onBack: () => void}} props
 */
export function CheckMail({ email, password, onDone, onBack }) {
    const [problem, setProblem] = useState("");
    const [busy, setBusy] = useState(false);
    const running = useRef(Promise.resolve());
    /** @param {boolean} asked by pressing the button, rather than by coming back to the tab */
    const attempt = (asked) => {
        setBusy(asked);
        running.current = running.current.then(() => once(asked));
    };
    /** @param {boolean} asked */
    const once = async (asked) => {
        try {
            await trySignIn(email, password);
            onDone();
        } catch (thrown) {
            const error = asApiError(thrown);
            if (asked) setProblem(error.code === "unverified" || error.status === 400 ? t("check_mail.not_yet") : error.message);
        } finally {
            setBusy(false);
        }
    };
    useEffect(() => {
        const back = () => document.visibilityState === "visible" && attempt(false);
        document.addEventListener("visibilitychange", back);
        return () => document.removeEventListener("visibilitychange", back);
    }, []);
    const again = async () => {
        try {
            await requestVerification(email);
            toast(t("check_mail.sent_again", { email }));
        } catch (thrown) {
            setProblem(asApiError(thrown).message);
        }
    };
    return html`<div class="stack tight">
        <p>${rich("check_mail.text", { email: html`<strong>${email}</strong>` })}</p>
        <p class="muted">${t("check_mail.other")}</p>
        <div role="alert">${problem && html`<p class="bad">${problem}</p>`}</div>
        <div class="actions">
            <${Button} kind="primary" busy=${busy} onClick=${() => attempt(true)}>${t("check_mail.continue")}<//>
            <button type="button" class="link" onClick=${again}>${t("check_mail.again")}</button>
            <button type="button" class="link" onClick=${onBack}>${t("check_mail.back")}</button>
        </div>
    </div>`;
}
