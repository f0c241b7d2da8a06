import { html } from "../vendor.js";
import { get } from "../lib/api.js";
import { rich, t } from "../lib/i18n.js";
import { useResource } from "../lib/store.js";

/** What the shop as a whole is set to: currencies, ways to pay, terms. */
export const useConfig = () => useResource("config", (signal) => get("/config", { signal }));

/** The sentence beside the terms' box, with a link where the operator has published terms. */
export function Terms() {
    const url = useConfig().data.value?.terms_url;
    const words = t("terms.words");
    const link = url ? html`<a href=${url} target="_blank" rel="noopener">${words}</a>` : words;
    return html`<span>${rich("terms.accept", { terms: link })}</span>`;
}
