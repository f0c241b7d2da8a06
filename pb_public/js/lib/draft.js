import { effect, signal } from "../vendor.js";

/**
 * The order being put together. It lives in this tab's session storage, so reloading, signing in or coming back from the
 * payment page loses nothing. Passwords are never in it.
 * @typedef {{plan: string, cycle: string, currency: string, choices: Record<string, string>, hostname: string, gateway: string, coupon: string,
 *   name: string, email: string, attempt: null | {of: string, key: string}}} Draft
 */
const storageKey = "ez_order";
/** @type {Draft} */
const empty = { plan: "", cycle: "", currency: "", choices: {}, hostname: "", gateway: "", coupon: "", name: "", email: "", attempt: null };

export const draft = signal(read());

effect(() => {
    try {
        sessionStorage.setItem(storageKey, JSON.stringify(draft.value));
    } catch { /* storage is full or forbidden: the order then lives as long as the page */ }
});

/** @param {Partial<Draft>} values */
export function edit(values) {
    draft.value = { ...draft.peek(), ...values };
}

/** Forgets the order once it is paid. */
export const clearDraft = () => {
    draft.value = { ...empty, currency: draft.peek().currency };
};

/**
 * The key of the attempt to place exactly this order. The same content always has the same key, so that pressing again after
 * a lost answer finds the first order instead of placing a second.
 * @param {unknown} content
 */
export function attemptKey(content) {
    const of = JSON.stringify(content);
    const { attempt } = draft.peek();
    if (attempt?.of === of) return attempt.key;
    const key = crypto.randomUUID();
    edit({ attempt: { of, key } });
    return key;
}

/** Lets the next attempt be a new order, because the one of the present key has ended unpaid. */
export const dropAttempt = () => edit({ attempt: null });

/** @returns {Draft} */
function read() {
    try {
        return { ...empty, ...JSON.parse(sessionStorage.getItem(storageKey) ?? "{}") };
    } catch {
        return empty;
    }
}
