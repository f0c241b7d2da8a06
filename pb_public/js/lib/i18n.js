/** Every sentence of the portal comes from locales/<language>.json: flat keys, "{name}" for values, plurals by rule. */

const languages = /** @type {const} */ (["en", "de"]);

/** The language of this document, as the server wrote it. */
export const language = document.documentElement.lang || "en";

/** The reader's regional form of that language, for dates and numbers: "en-GB" rather than "en" where the browser says so. */
export const locale = navigator.languages.find((tag) => tag.split("-")[0] === language) ?? language;

/** @type {Record<string, string>} */
let messages = {};
const plural = new Intl.PluralRules(language);

/** Loads the dictionary; nothing may be drawn before. */
export async function loadMessages() {
    const answer = await fetch(new URL(`../../locales/${language}.json`, import.meta.url), { credentials: "same-origin" });
    if (!answer.ok) throw new Error(`dictionary ${language}: ${answer.status}`);
    messages = await answer.json();
}

/** Whether the dictionary has a key; used for names that come from elsewhere, such as an adapter's build steps. @param {string} key */
export const has = (key) => key in messages;

/**
 * Returns the sentence of a key. With `count` among the values the plural form is chosen ("key_one", "key_other").
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function t(key, values) {
    return find(key, values).replace(/\{(\w+)\}/g, (whole, name) => (values && name in values ? String(values[name]) : whole));
}

/**
 * Like t, for sentences with a link or another node in them: returns text and nodes in order.
 * @param {string} key
 * @param {Record<string, unknown>} values
 * @returns {unknown[]}
 */
export function rich(key, values) {
    return find(key, /** @type {any} */ (values)).split(/\{(\w+)\}/g).map((part, i) => (i % 2 ? values[part] : part));
}

/** A word at the beginning of a line or in a list of choices. @param {string} word */
export const capital = (word) => word.charAt(0).toLocaleUpperCase(language) + word.slice(1);

/** @param {string} key @param {Record<string, string | number>} [values] */
function find(key, values) {
    const form = values && "count" in values ? `${key}_${plural.select(Number(values.count))}` : key;
    return messages[form] ?? messages[`${key}_other`] ?? messages[key] ?? key;
}

/** Keeps the reader's language for a year and draws the page anew in it. @param {string} lang */
export function chooseLanguage(lang) {
    document.cookie = `ez_lang=${lang}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
    location.reload();
}

/** The languages there are, each by its own name. */
export const languageNames = languages.map((code) => ({
    code,
    name: new Intl.DisplayNames([code], { type: "language" }).of(code) ?? code,
}));
