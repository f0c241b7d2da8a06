import { signal } from "../vendor.js";

/**
 * Where the browser is. `moved` counts navigations the person made, so that a page can take the focus after one but not on
 * the first load.
 * @typedef {{path: string, query: URLSearchParams, moved: number}} Place
 */

/** @returns {Place} */
const read = (moved = 0) => ({ path: location.pathname, query: new URLSearchParams(location.search), moved });

export const place = signal(read());

const scrolls = /** @type {Record<string, number>} */ (JSON.parse(sessionStorage.getItem("ez_scroll") ?? "{}"));
history.scrollRestoration = "manual";

/** The scroll position to return to once the page of a Back step is drawn, or 0. */
let restore = 0;

/**
 * Goes to an address of the portal.
 * @param {string} url path with query
 * @param {{replace?: boolean}} [options]
 */
export function go(url, { replace = false } = {}) {
    rememberScroll();
    history[replace ? "replaceState" : "pushState"]({ key: crypto.randomUUID() }, "", url);
    restore = 0;
    place.value = read(place.peek().moved + 1);
}

/**
 * Changes query values of the present address without leaving the page; empty values disappear.
 * @param {Record<string, string>} values
 * @param {{push?: boolean}} [options]
 */
export function setQuery(values, { push = false } = {}) {
    const query = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(values)) {
        if (value) query.set(name, value);
        else query.delete(name);
    }
    const text = query.toString();
    if (text === new URLSearchParams(location.search).toString()) return;
    history[push ? "pushState" : "replaceState"](history.state, "", location.pathname + (text ? "?" + text : ""));
    place.value = { ...read(), moved: place.peek().moved };
}

/** Puts the window where it was when the person left this entry of the history, or at the top. */
export function settleScroll() {
    window.scrollTo(0, restore);
    restore = 0;
}

/** The sign-in page's address that returns to the present one. */
export const signInAddress = () => "/portal/sign-in?next=" + encodeURIComponent(location.pathname + location.search);

/** Where to go after signing in: only addresses of the portal are followed. @param {string | null} next */
export const safeNext = (next) => (next && /^\/portal\/(?!\/)[^\\]*$/.test(next) ? next : "/portal/");

function rememberScroll() {
    const key = history.state?.key;
    if (!key) return;
    scrolls[key] = Math.round(window.scrollY);
    const keys = Object.keys(scrolls);
    if (keys.length > 50) delete scrolls[keys[0]];
    sessionStorage.setItem("ez_scroll", JSON.stringify(scrolls));
}

/** Makes links and the Back button work without loading the document again. */
export function startRouter() {
    if (!history.state?.key) history.replaceState({ key: crypto.randomUUID() }, "");
    addEventListener("popstate", (event) => {
        restore = scrolls[event.state?.key] ?? 0;
        place.value = read(place.peek().moved + 1);
    });
    addEventListener("pagehide", rememberScroll);
    document.addEventListener("click", (event) => {
        if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        const link = /** @type {HTMLElement} */ (event.target).closest?.("a[href]");
        if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute("download")) return;
        if (link.origin !== location.origin || !link.pathname.startsWith("/portal/")) return;
        if (link.hash && link.pathname === location.pathname) return;
        event.preventDefault();
        go(link.pathname + link.search);
    });
}
