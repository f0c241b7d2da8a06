import { ApiError, asApiError, get, post } from "./api.js";
import { currentZone, useZone } from "./dates.js";
import { language, t } from "./i18n.js";
import { signIn } from "./session.js";

/** Signs in and puts PocketBase's terse refusal into words. @param {string} email @param {string} password */
export async function trySignIn(email, password) {
    try {
        await signIn(email.trim(), password);
    } catch (thrown) {
        const error = asApiError(thrown);
        if (error.status === 400) throw new ApiError(t("sign_in.wrong"), { status: 400 });
        if (error.status === 403) throw new ApiError(t("sign_in.unverified"), { status: 403, code: "unverified" });
        throw error;
    }
}

/**
 * Opens an account in the language and time zone of this browser and signs in to it. False means that signing in was refused:
 * the address has to be confirmed first, or it had an account before, which is told to its owner alone.
 * @param {Record<string, any>} values
 */
export async function openAccount({ name, email, password }) {
    await post("/account/sign-up", { name: name.trim(), email: email.trim(), password, locale: language, time_zone: currentZone(), terms: true });
    try {
        await trySignIn(email, password);
        return true;
    } catch (thrown) {
        const error = asApiError(thrown);
        if (error.lost || error.status >= 500 || error.status === 429) throw error;
        return false;
    }
}

/** The customer's own record; their time zone is used from then on. @param {AbortSignal} signal */
export async function loadMe(signal) {
    const me = await get("/me", { signal });
    if (me.time_zone) useZone(me.time_zone);
    return me;
}
