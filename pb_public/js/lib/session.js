import { computed, signal } from "../vendor.js";
import PocketBase, { LocalAuthStore } from "../../vendor/pocketbase.js";

/** The SDK client: sign-in state in local storage, shared by all tabs, and the realtime line. */
export const pb = new PocketBase(location.origin, new LocalAuthStore("ezscale_session"));
pb.autoCancellation(false);

const users = () => pb.collection("users");

/** The signed-in customer as the sign-in answer described them, or null. */
export const user = signal(/** @type {any} */ (pb.authStore.token ? pb.authStore.record : null));
export const signedIn = computed(() => user.value !== null);

pb.authStore.onChange((token, record) => {
    user.value = token ? record : null;
});

/**
 * Whether the person must prove again who they are. Set by the API layer when the server no longer accepts the token; while
 * it is set a dialog asks for the password, and what was being done waits.
 */
export const needsSignIn = signal(/** @type {null | {email: string}} */ (null));
/** @type {((ok: boolean) => void)[]} */
let waiting = [];

/** Asks for the password in a dialog. @returns {Promise<boolean>} false when the person chose to leave instead */
export function askSignIn() {
    needsSignIn.value ??= { email: user.peek()?.email ?? "" };
    return new Promise((done) => waiting.push(done));
}

/** Ends the question of askSignIn. @param {boolean} ok */
export function answerSignIn(ok) {
    needsSignIn.value = null;
    const all = waiting;
    waiting = [];
    for (const done of all) done(ok);
    if (!ok) signOut();
}

/** @param {string} email @param {string} password */
export const signIn = (email, password) => users().authWithPassword(email, password);

/** Forgets the session in every tab. */
export const signOut = () => pb.authStore.clear();

/** Renews the token at start; a token the server refuses is forgotten, a silent server changes nothing. */
export async function refreshSession() {
    if (!pb.authStore.token) return;
    try {
        await users().authRefresh();
    } catch (error) {
        const status = /** @type {any} */ (error).status;
        if (status === 401 || status === 403 || status === 404) signOut();
    }
}

/** @param {string} email */
export const requestReset = (email) => users().requestPasswordReset(email);
/** @param {string} token @param {string} password */
export const confirmReset = (token, password) => users().confirmPasswordReset(token, password, password);
/** @param {string} token */
export const confirmVerification = (token) => users().confirmVerification(token);
/** @param {string} email */
export const requestVerification = (email) => users().requestVerification(email);
