import { html } from "../vendor.js";
import { t } from "../lib/i18n.js";
import { Badge } from "./badge.js";

/** What a service is doing in the one language of states: an action under way first, then what the platform last said. @param {{service: any, doing?: string, live?: boolean}} props */
export function ServiceBadge({ service, doing, live }) {
    if (doing) return html`<${Badge} state="busy" word=${t("doing." + doing)} live=${live} />`;
    if (service.busy && service.action && service.display !== "building") return html`<${Badge} state="busy" word=${t("doing." + service.action)} live=${live} />`;
    return html`<${Badge} state=${service.display} live=${live} />`;
}

/** The first address of a service, or "". @param {any} service */
export const mainAddress = (service) => (service.addresses?.find((/** @type {any} */ a) => a.primary) ?? service.addresses?.[0])?.ip ?? "";
