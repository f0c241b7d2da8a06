import { html } from "../vendor.js";
import { t } from "../lib/i18n.js";
import { signedIn } from "../lib/session.js";
import { Heading } from "../ui/page.js";

/** An address the portal does not have. */
export default function NotFound() {
    return html`<div class="page text">
        <${Heading} title=${t("not_found.title")} />
        <p>${t("not_found.text")}</p>
        <div class="actions"><a class="btn primary" href=${signedIn.value ? "/portal/" : "/portal/order"}>${t(signedIn.value ? "not_found.home" : "not_found.order")}</a></div>
    </div>`;
}
