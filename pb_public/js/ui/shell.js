import { html, useEffect, useState } from "../vendor.js";
import { live, lastLive } from "../lib/live.js";
import { place, signInAddress } from "../lib/router.js";
import { clock } from "../lib/dates.js";
import { answerSignIn, needsSignIn, signedIn, signOut, user } from "../lib/session.js";
import { dismiss, toasts } from "../lib/toast.js";
import { t } from "../lib/i18n.js";
import { Announcer } from "./announcer.js";
import { Icon, Mark } from "./icons.js";
import { brand } from "./page.js";

/** The places of the portal, in the order they have everywhere. */
const places = /** @type {const} */ ([
    ["overview", "/portal/"],
    ["services", "/portal/services"],
    ["billing", "/portal/invoices"],
    ["account", "/portal/account"],
]);

/** The frame around every page: places for those who are signed in, name and sign-in for those who are not. @param {{route: import("../routes.js").Route, children?: any}} props */
export function Shell({ route, children }) {
    const withPlaces = signedIn.value && !route.bare;
    return html`<div class=${withPlaces ? "frame" : "frame bare"}>
        <a class="skip" href="#main" onClick=${skip}>${t("nav.skip")}</a>
        ${withPlaces && html`<${Side} current=${route.place} />`}
        <header class="top">
            <a class="brand" href=${signedIn.value ? "/portal/" : "/portal/order"}><${Mark} />${brand}</a>
            <div class="right">${!signedIn.value && !route.bare && html`<a class="btn" href=${signInAddress()} key=${place.value.path}>${t("sign_in.do")}</a>`}</div>
        </header>
        <main class="main" id="main" tabindex="-1">${children}</main>
        <${Offline} />
        <${Toasts} />
        <${Announcer} />
        ${needsSignIn.value && html`<${SignInAgain} email=${needsSignIn.value.email} />`}
    </div>`;
}

/** @param {Event} event */
function skip(event) {
    event.preventDefault();
    document.getElementById("main")?.focus();
}

/** @param {{current?: string}} props */
const Side = ({ current }) => html`<nav class="side" aria-label=${t("nav.main")}>
    <a class="brand" href="/portal/"><${Mark} />${brand}</a>
    <ul class="places">${places.map(([name, href]) => html`
        <li><a href=${href} aria-current=${current === name ? (place.value.path === href ? "page" : "true") : undefined}><${Icon} name=${name} /><span>${t("nav." + name)}</span></a></li>`)}
    </ul>
    <a class="btn buy" href="/portal/order">${t("nav.order")}</a>
    <div class="who">
        <span class="mail" title=${user.value?.email}>${user.value?.email}</span>
        <button type="button" class="link" onClick=${signOut}>${t("sign_out")}</button>
    </div>
</nav>`;

/** Says quietly that what is shown may be out of date, and since when. It waits a moment: short breaks are not worth a word. */
function Offline() {
    const broken = live.value === false;
    const [shown, setShown] = useState(false);
    useEffect(() => {
        if (!broken) {
            setShown(false);
            return undefined;
        }
        const end = setTimeout(() => setShown(true), 1500);
        return () => clearTimeout(end);
    }, [broken]);
    return html`<div role="status" class=${shown ? "bar" : "sr"}>${shown && t("live.reconnecting", { time: clock(new Date(lastLive.value).toISOString()) })}</div>`;
}

const Toasts = () => html`<div class="toasts" role="status" aria-live="polite">
    ${toasts.value.map((one) => html`<div class="toast" key=${one.id} data-kind=${one.kind}>
        <span>${one.text}</span>
        <span class="actions">
            ${one.action && html`<button type="button" class="link" onClick=${() => { one.action?.run(); dismiss(one.id); }}>${one.action.label}</button>`}
            <button type="button" class="icon-btn" aria-label=${t("do.close")} onClick=${() => dismiss(one.id)}><${Icon} name="close" /></button>
        </span>
    </div>`)}
</div>`;

/** Loads the dialog that asks for the password; most visits never need it. @param {{email: string}} props */
function SignInAgain({ email }) {
    const [Form, setForm] = useState(/** @type {any} */ (null));
    useEffect(() => {
        import("./sign-in-again.js").then((module) => setForm(() => module.SignInAgain), () => answerSignIn("unable"));
    }, []);
    return Form && html`<${Form} email=${email} />`;
}
