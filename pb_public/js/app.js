/** Starts the portal: dictionary, session, live line, and the page the address names. */
import { effect, html, render, signal, useEffect, useErrorBoundary } from "./vendor.js";
import { get } from "./lib/api.js";
import { loadMessages, t } from "./lib/i18n.js";
import { startLive } from "./lib/live.js";
import { go, place, signInAddress, startRouter } from "./lib/router.js";
import { refreshSession, signedIn } from "./lib/session.js";
import { learnClock } from "./lib/dates.js";
import { findRoute } from "./routes.js";
import { Shell } from "./ui/shell.js";
import { Button } from "./ui/button.js";

/**
 * The page on show. It is replaced only when the next page's module is here, so nothing flashes in between.
 * @type {import("./vendor.js").Signal<{route: import("./routes.js").Route, params: Record<string, string>, Page: any, key: string} | null>}
 */
const shown = signal(null);
const loading = signal(false);

/** Follows the address. Pages that need a customer send guests to the sign-in page, which brings them back. */
async function follow() {
    const { path } = place.value;
    const { route, params } = findRoute(path);
    if (!route.guest && !signedIn.value) {
        go(signInAddress(), { replace: true });
        return;
    }
    const key = route.page + JSON.stringify(params);
    if (shown.peek()?.key === key) return;
    loading.value = true;
    /** @type {any} */
    let Page;
    try {
        Page = (await import(`./pages/${route.page}.js`)).default;
    } catch {
        Page = Unloadable;
    }
    if (place.peek().path !== path) return;
    loading.value = false;
    shown.value = { route, params, Page, key };
}

/**
 * The page's own file did not arrive: the line is down, or this tab is older than the server's files. The document is loaded
 * anew as soon as the server answers again.
 */
function Unloadable() {
    useEffect(() => {
        const timer = setInterval(() => {
            fetch("/favicon.ico", { cache: "no-store" }).then((answer) => answer.ok && location.reload(), () => { /* still down */ });
        }, 5000);
        return () => clearInterval(timer);
    }, []);
    return html`<div class="page text"><div class="notice" data-kind="bad" role="alert">
        <h1>${t("error.unreachable_title")}</h1><p>${t("error.module")}</p>
        <${Button} onClick=${() => location.reload()}>${t("do.reload")}<//>
    </div></div>`;
}

/** A mistake of ours while drawing a page leaves the frame standing and says so. @param {{children?: any}} props */
function Guarded({ children }) {
    const [broken] = useErrorBoundary();
    if (!broken) return children;
    return html`<div class="page text"><div class="notice" data-kind="bad" role="alert">
        <h1>${t("error.title")}</h1><p>${t("error.page")}</p>
        <${Button} onClick=${() => location.reload()}>${t("do.reload")}<//>
    </div></div>`;
}

function App() {
    const now = shown.value;
    if (!now) return null;
    const { route, params, Page, key } = now;
    const allowed = route.guest || signedIn.value; // else the sign-in page is about to follow, and nothing may be fetched for nobody
    return html`${loading.value && html`<div class="loadline" role="progressbar" aria-label=${t("loading")}></div>`}
        <${Shell} route=${route}>${allowed && html`<${Guarded} key=${key}><${Page} ...${params} /><//>`}<//>`;
}

/** Says that nothing works, in the two languages there are: without a dictionary nothing else can be said. */
function sayBroken() {
    const box = document.createElement("main");
    box.className = "noscript";
    const text = document.createElement("p");
    text.textContent = "The portal could not be loaded. Please check your connection and reload the page. – Das Portal konnte nicht geladen werden. Bitte prüfen Sie die Verbindung und laden Sie die Seite neu.";
    box.append(text);
    document.getElementById("app")?.replaceChildren(box);
}

async function start() {
    startRouter();
    try {
        await loadMessages();
    } catch {
        sayBroken();
        return;
    }
    refreshSession();
    get("/config").then((config) => learnClock(config.now), () => { /* pages that need it say so themselves */ });
    startLive();
    effect(() => void follow());
    const root = /** @type {HTMLElement} */ (document.getElementById("app"));
    root.replaceChildren();
    render(html`<${App} />`, root);
}

start();
