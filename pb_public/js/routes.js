/**
 * The page table. The server reads it too, to tell known addresses from unknown ones and to preload the right modules: keep
 * one entry a line and the keys in this order. `place` is the entry of the navigation that is current there; `guest` pages
 * can be seen without signing in, `bare` ones are drawn without the navigation.
 * @typedef {{path: string, page: string, place?: string, guest?: boolean, bare?: boolean}} Route
 * @type {Route[]}
 */
export const routes = [
    { path: "/portal/", page: "overview", place: "overview" },
    { path: "/portal/order", page: "order", place: "services", guest: true },
    { path: "/portal/orders/:id", page: "order-status", place: "services" },
    { path: "/portal/quotes/:id", page: "quote", place: "billing" },
    { path: "/portal/services", page: "services", place: "services" },
    { path: "/portal/services/:id", page: "service", place: "services" },
    { path: "/portal/services/:id/plan", page: "change-plan", place: "services" },
    { path: "/portal/invoices", page: "invoices", place: "billing" },
    { path: "/portal/invoices/:id", page: "invoice", place: "billing" },
    { path: "/portal/payment-methods", page: "payment-methods", place: "billing" },
    { path: "/portal/account", page: "account", place: "account" },
    { path: "/portal/sign-in", page: "sign-in", guest: true, bare: true },
    { path: "/portal/sign-up", page: "sign-up", guest: true, bare: true },
    { path: "/portal/reset", page: "reset", guest: true, bare: true },
    { path: "/portal/verify", page: "verify", guest: true, bare: true },
    { path: "/portal/not-found", page: "not-found", guest: true },
];

/**
 * Finds the route of a path and the values of its ":name" segments.
 * @param {string} path
 * @returns {{route: Route, params: Record<string, string>}}
 */
export function findRoute(path) {
    const got = split(path);
    for (const route of routes) {
        const want = split(route.path);
        if (want.length !== got.length) continue;
        /** @type {Record<string, string>} */
        const params = {};
        const fits = want.every((part, i) => {
            if (!part.startsWith(":")) return part === got[i];
            params[part.slice(1)] = decode(got[i]);
            return got[i] !== "";
        });
        if (fits) return { route, params };
    }
    return { route: routes[routes.length - 1], params: {} };
}

/** @param {string} path */
const split = (path) => path.replace(/^\/+|\/+$/g, "").split("/");

/** @param {string} part */
function decode(part) {
    try {
        return decodeURIComponent(part);
    } catch {
        return part;
    }
}
