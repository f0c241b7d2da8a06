import { html } from "../vendor.js";
import { t } from "../lib/i18n.js";
import { binaryBytes, traffic } from "../lib/units.js";
import { Button } from "./button.js";
import { Icon } from "./icons.js";
import { Meter } from "./meter.js";
import { Day } from "./time.js";

/** What the service uses of what it has. Values the platform does not give are left out. @param {{service: any, doing: string, act: (word: string, path: string) => void}} props */
export function Usage({ service: s, doing, act }) {
    const u = s.usage ?? {};
    const moved = u.traffic_in === null && u.traffic_out === null ? null : (u.traffic_in ?? 0) + (u.traffic_out ?? 0);
    const known = [u.cpu_percent, u.memory_used, u.disk_used, moved].some((v) => v !== null && v !== undefined);
    const period = u.traffic_end && html`${t("usage.in_out", { in: traffic(u.traffic_in ?? 0), out: traffic(u.traffic_out ?? 0) })} · ${t("usage.until")} <${Day} at=${u.traffic_end} />`;
    return html`<section class="card">
        <div class="card-head"><h2>${t("usage.title")}</h2>
            <${Button} kind="quiet" busy=${doing === "refresh"} disabled=${doing !== "" || s.status !== "active"} onClick=${() => act("refresh", "refresh")}>${doing !== "refresh" && html`<${Icon} name="refresh" />`}${t("usage.refresh")}<//></div>
        <div class="card-body">${known
            ? html`<div class="two">
                ${u.cpu_percent !== null && u.cpu_percent !== undefined && html`<${Meter} label=${t("usage.cpu")} used=${u.cpu_percent} total=${100} />`}
                ${u.memory_used !== null && u.memory_used !== undefined && html`<${Meter} label=${t("spec.ram")} used=${u.memory_used} total=${u.memory_total} write=${binaryBytes} />`}
                ${u.disk_used !== null && u.disk_used !== undefined && html`<${Meter} label=${t("spec.disk")} used=${u.disk_used} total=${u.disk_total} write=${binaryBytes} />`}
                ${moved !== null && html`<${Meter} label=${t("spec.traffic")} used=${moved} total=${u.traffic_limit} write=${traffic} note=${period} />`}
            </div>`
            : html`<p class="muted">${t("usage.none")}</p>`}</div>
    </section>`;
}
