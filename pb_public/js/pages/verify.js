import { html, useEffect, useState } from "../vendor.js";
import { asApiError } from "../lib/api.js";
import { t } from "../lib/i18n.js";
import { place } from "../lib/router.js";
import { confirmVerification, refreshSession, signedIn } from "../lib/session.js";
import { Heading } from "../ui/page.js";
import { ErrorBox, Loading } from "../ui/states.js";

/** Confirms the address of the link that a mail brought here. */
export default function Verify() {
    const token = place.value.query.get("token") ?? "";
    const [state, setState] = useState("busy");
    const [error, setError] = useState(/** @type {import("../lib/api.js").ApiError | null} */ (null));
    const run = async () => {
        setState("busy");
        try {
            await confirmVerification(token);
            refreshSession();
            setState("done");
        } catch (thrown) {
            const problem = asApiError(thrown);
            setError(problem);
            setState(problem.status >= 400 && problem.status < 500 && problem.status !== 429 ? "invalid" : "failed");
        }
    };
    useEffect(() => void (token ? run() : setState("invalid")), [token]);
    return html`<div class="page narrow">
        <${Heading} title=${t(state === "done" ? "verify.done_title" : state === "invalid" ? "verify.invalid_title" : "verify.title")} />
        ${state === "busy" && html`<${Loading} heights=${[80]} />`}
        ${state === "done" && html`<p role="status">${t("verify.done")}</p>
            <a class="btn primary" href=${signedIn.value ? "/portal/" : "/portal/sign-in"}>${t(signedIn.value ? "verify.go" : "sign_in.do")}</a>`}
        ${state === "invalid" && html`<p role="alert">${t("verify.invalid")}</p><a class="btn" href="/portal/sign-in">${t("sign_in.do")}</a>`}
        ${state === "failed" && error && html`<${ErrorBox} error=${error} retry=${run} />`}
    </div>`;
}
