// Grafana's own list of alerts. The SDK has no builder for it.

import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";

import type { PanelBuilder } from "./panels";

/** gpulse's alerts, those of alerts.ts; `labels` chooses among them, as host="$host". */
export function alertList(title: string, labels = ""): PanelBuilder {
  const options = {
    alertInstanceLabelFilter: `{app="gpulse"${labels ? `,${labels}` : ""}}`,
    alertName: "",
    dashboardAlerts: false,
    groupBy: [],
    groupMode: "default",
    maxItems: 20,
    sortOrder: 3,
    stateFilter: { error: true, firing: true, noData: false, normal: false, pending: true },
    viewMode: "list",
  };
  return new dashboard.PanelBuilder().type("alertlist").title(title).options(options);
}
