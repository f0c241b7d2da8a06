import { computed, signal } from "../vendor.js";

/**
 * Who is signed in. The token and the customer's record stand in local storage in the form PocketBase's client uses; that
 * client itself is loaded only when something needs it, so a visitor who looks at the plans never waits for it.
 */
const storageKey = "ezscale_session";

/** @returns {{token: string, record: any} | null} */
function stored() {
    try {
        const found = JSON.parse(localStorage.getItem(storageKey) ?? "null");
        return found?.token && found.record ? found : null;
    } catch {
        return null;
    }
}

const session = signal(stored());

/** The signed-in customer as the sign-in answer described them, or null. */
export const user = computed(() => session.value?.record ?? null);
export const signedIn = computed(() => session.value !== null);
/** The token for the Authorization header, or "". */
export const token = () => session.peek()?.token ?? "";

addEventListener("storage", (event) => {
    if (event.key === storageKey || event.key === null) session.value = stored();
});

/** @type {Promise<import("../../vendor/pocketbase.js").default> | null} */
let client = null;

/** PocketBase's client, loaded once. A failed load is tried again at the next call. */
export function sdk() {
    client ??= load().catch((error) => {
        client = null;
        throw error;
    });
    return client;
}

async function load() {
    const { default: PocketBase, LocalAuthStore } = await import("../../vendor/pocketbase.js");
    const pb = new PocketBase(location.origin, new LocalAuthStore(storageKey));
    pb.autoCancellation(false);
    pb.authStore.onChange((/** @type {string} */ newToken, /** @type {any} */ record) => {
        session.value = newToken && record ? { token: newToken, record } : null;
    });
    return pb;
}

const users = async () => (await sdk()).collection("users");

/**
 * Whether the person must prove again who they are. Set when the server no longer accepts the token; while it is set a dialog
 * asks for the password, and what was being done waits.
 */
export const needsSignIn = signal(/** @type {null | {email: string}} */ (null));
/** @type {((answer: "again" | "left" | "unable") => void)[]} */
let waiting = [];

/** Asks for the password in a dialog. "left": the person signed out instead; "unable": the dialog itself could not be loaded. @returns {Promise<"again" | "left" | "unable">} */
export function askSignIn() {
    needsSignIn.value ??= { email: user.peek()?.email ?? "" };
    return new Promise((done) => waiting.push(done));
}

/** Ends the question of askSignIn. @param {"again" | "left" | "unable"} answer */
export function answerSignIn(answer) {
    needsSignIn.value = null;
    const all = waiting;
    waiting = [];
    if (answer === "left") signOut();
    for (const done of all) done(answer);
}

/** @param {string} email @param {string} password */
export const signIn = async (email, password) => (await users()).authWithPassword(email, password);

/** Forgets the session in every tab. */
export function signOut() {
    localStorage.removeItem(storageKey);
    session.value = null;
    client?.then((pb) => pb.authStore.clear(), () => { /* never loaded, so it holds nothing */ });
}

/** Renews the token at start; a token the server refuses is forgotten, a silent server changes nothing. */
export async function refreshSession() {
    if (!token()) return;
    try {
        await (await users()).authRefresh();
    } catch (error) {
        const status = /** @type {any} */ (error).status;
        if (status === 401 || status === 403 || status === 404) signOut();
    }
}

/** @param {string} email */
export const requestReset = async (email) => (await users()).requestPasswordReset(email);
/** @param {string} link @param {string} password */
export const confirmReset = async (link, password) => (await users()).confirmPasswordReset(link, password, password);
/** @param {string} link */
export const confirmVerification = async (link) => (await users()).confirmVerification(link);
/** @param {string} email */
export const requestVerification = async (email) => (await users()).requestVerification(email);
