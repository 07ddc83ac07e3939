/**
 * No attack, as a baseline for the others.
 */
import { setTimeout as delay } from "node:timers/promises";
import { publicToy, type Scenario } from "../scenario.ts";

export const scenarios: readonly Scenario[] = [
  {
    name: "nothing",
    attack: "none",
    prepare: async (place) => ({ config: await publicToy(place), run: () => delay(8000) }),
  },
];
