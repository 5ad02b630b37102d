// Inputs of modals. Each carries data-input, its action_id; collect reads them all.
import { el } from "./dom.js";
import { state } from "./state.js";
import { words } from "./blocks.js";

/** input returns an input block: label, element, hint and what is wrong with it. */
export function input(block, view) {
  const e = block.element;
  const wrong = view?.errors?.[block.block_id];
  const given = view?.values?.[e.action_id] ?? initial(e);
  const control = controlOf(e, given);
  if (block.bare) return control;
  const choice = e.type === "radio_buttons" || e.type === "checkboxes";
  return el(
    choice ? "fieldset" : "label", { class: wrong ? "block field wrong" : "block field" },
    el(choice ? "legend" : "span", { class: "label" }, words(block.label), block.optional && el("small", {}, " (optional)")),
    control,
    wrong && el("span", { class: "error" }, wrong),
    block.hint && el("span", { class: "note" }, words(block.hint)),
  );
}

function initial(e) {
  const options = (list) => (list ?? []).map((o) => o.value).join(",");
  return e.initial_value ?? e.initial_option?.value ?? e.initial_date ?? e.initial_time ?? e.initial_user ?? options(e.initial_options);
}

function controlOf(e, given) {
  const common = { "data-input": e.action_id, placeholder: e.placeholder?.text };
  const typed = (type, extra = {}) => el("input", { ...common, type, value: given, ...extra });
  switch (e.type) {
    case "plain_text_input":
      if (!e.multiline) return typed("text", { maxlength: e.max_length });
      return el("textarea", { ...common, rows: "3", maxlength: e.max_length }, given);
    case "number_input":
      return typed("number", { min: e.min_value, max: e.max_value, step: e.is_decimal_allowed ? "any" : "1" });
    case "email_text_input":
      return typed("email");
    case "url_text_input":
      return typed("url");
    case "datepicker":
      return typed("date");
    case "timepicker":
      return typed("time");
    case "radio_buttons":
      return choices(e, given, "radio");
    case "checkboxes":
      return choices(e, given, "checkbox");
    case "users_select":
      return select(common, state.scene.cast.map((p) => [p.id, p.name]), given, e);
    case "static_select":
      return select(common, optionsOf(e).map((o) => [o.value, o.text.text]), given, e);
    default:
      return el("span", { class: "note" }, `(${e.type})`);
  }
}

const optionsOf = (e) => [...(e.options ?? []), ...(e.option_groups ?? []).flatMap((g) => g.options)];

function select(common, options, given, e) {
  return el(
    "select", { "data-input": common["data-input"] },
    el("option", { value: "" }, e.placeholder?.text ?? "Choose"),
    options.map(([value, label]) => el("option", { value, selected: value === given }, label)),
  );
}

function choices(e, given, type) {
  const chosen = String(given ?? "").split(",");
  return el(
    "span", { class: "choices", "data-input": e.action_id },
    e.options.map((o) =>
      el("label", {}, el("input", { type, name: e.action_id, value: o.value, checked: chosen.includes(o.value) }),
        el("span", {}, words(o.text), o.description && el("small", {}, words(o.description)))),
    ),
  );
}

/** collect reads what a form holds, by action_id. */
export function collect(form) {
  const out = {};
  for (const node of form.querySelectorAll("[data-input]")) {
    out[node.dataset.input] = node.classList.contains("choices")
      ? [...node.querySelectorAll("input:checked")].map((c) => c.value).join(",")
      : node.value;
  }
  return out;
}
