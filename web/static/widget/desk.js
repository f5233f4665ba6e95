/* The part of Kefu's widget for people: waiting for one, talking to one, going back to the bot. widget.js fetches it
   when it is needed and gives it the frames; nothing here knows the connection. Text becomes nodes, never markup. */
(() => {
"use strict";
const kit = window.Kefu?.kit;
if (!kit || kit.hear) return;
const { el, button, group, items, list, panel, voice, lang, shade, send, deliver, drop, grown, store } = kit;

// ---- Wording
const WORDS = {
	queue: "等待人工客服|Waiting for a person",
	go_on: "可以继续输入，客服会看到。|You can go on typing; it will be read.",
	cancel: "取消等待|Leave the queue",
	with: "正在与 {} 对话|You are talking to {}",
	bot: "自动回答|Automated answers",
	person: "人工服务|Our team",
	typing: "{} 正在输入|{} is typing",
	read: "已读|Read",
	ended: "人工服务已结束。|The talk with our team has ended.",
	question: "问题解决了吗？|Did this solve it?",
	yes: "解决了|Yes",
	no: "没有|No",
	thanks: "谢谢，已记录。|Thank you, noted.",
	save: "下载对话记录|Download the conversation",
	you: "您|You",
	title: "在线客服|Support",
};
const t = (key, name = "") => WORDS[key].split("|")[+(lang === "en")].replace("{}", () => name);

// ---- Style
const CSS = `
.desk{display:flex;align-items:center;gap:10px;padding:8px 8px 8px 16px;border-bottom:var(--edge);background:var(--soft);font-size:14px;line-height:1.45}
.desk .who{font-size:14px}
.desk .leave{padding:0 14px;border:var(--edge);font-size:14px;background:var(--bg)}
.face{display:grid;place-items:center;flex:none;width:32px;height:32px;border-radius:50%;background:var(--c);color:var(--on);font-weight:600}
.face.wait{background:0;border:2px solid var(--acc);border-top-color:transparent;animation:turn 1.6s linear infinite}
@keyframes turn{to{transform:rotate(1turn)}}
.turn{display:flex;align-items:center;gap:12px;margin:18px 0;color:var(--mute);font-size:13px}
.turn::before,.turn::after{content:"";flex:1;min-width:16px;border-top:var(--edge)}
.turn span{text-align:center}
.solve{display:flex;flex-wrap:wrap;align-items:center;gap:8px;margin-bottom:16px}
.solve .full{background:0;color:var(--acc);font-weight:400;text-decoration:underline;padding:0 4px}
.row>.seen{margin-top:2px}`;
const styles = new CSSStyleSheet();
styles.replaceSync(CSS);
shade.adoptedStyleSheets = [...shade.adoptedStyleSheets, styles];

// ---- What is shown
const bar = el("div.desk", { hidden: true }), about = panel.querySelector(".head p"), asks = panel.querySelector(".person");
kit.strip.after(bar);
let state = "bot", name = "", last, dots, quiet, told = 0;
const seen = el("span.small.seen", t("read"));

const tell = (text) => { voice.textContent = text; };
const line = (text) => {
	list.append(el("div.turn", el("span", text)));
	tell(text);
	grown();
};
const waiting = ({ text }) => bar.replaceChildren(
	el("span.face.wait", { ariaHidden: "true" }),
	el("div.who", { role: "status" }, el("p", text[lang]), el("p.small", t("go_on"))),
	button(".leave", t("cancel"), () => send({ type: "cancel_handoff" })));
const talking = () => bar.replaceChildren(
	el("span.face", { ariaHidden: "true" }, [...name][0].toUpperCase()), el("div.who", { role: "status" }, t("with", name)));
const still = () => {
	clearTimeout(quiet);
	dots?.remove();
	dots = null;
};
const solve = () => {
	const done = el("span.small", { role: "status" });
	const press = (solved) => () => {
		for (const one of [yes, no]) one.ariaPressed = one === (solved ? yes : no);
		deliver({ type: "solved", solved });
		done.textContent = t("thanks");
	};
	const yes = button(".chip.pick", t("yes"), press(true)), no = button(".chip.pick", t("no"), press(false));
	list.append(group(".solve", t("question"), el("span", t("question")), yes, no, done, button(".full", t("save"), transcript)));
	grown();
};
/** The conversation as a text file, in the order in which it is shown. */
const transcript = () => {
	const said = [...new Set(items.values())].filter((one) => one.text && one.row.isConnected)
		.sort((one, other) => (one.row.compareDocumentPosition(other.row) & 4 ? -1 : 1));
	const lines = said.map((one) => `${one.mine ? t("you") : one.author || t("title")}: ${one.text}\r\n`);
	const text = `${document.title} · ${new Date().toLocaleString(lang)}\r\n\r\n${lines.join("\r\n")}`;
	const href = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/plain;charset=utf-8" }));
	el("a", { href, download: `kefu-${new Date().toISOString().slice(0, 10)}.txt` }).click();
	setTimeout(() => URL.revokeObjectURL(href), 10000);
};
const mark = (id) => { // the last message of the customer's that staff have read
	const item = items.get(id);
	if (item?.mine) item.row.append(seen);
};
const read = () => {
	if (last && !panel.hidden) send({ type: "read", message_id: last }), last = null;
};

// ---- Frames
const HEAR = {
	desk(f) {
		const before = state, other = f.name && f.name !== name;
		state = f.state;
		if (f.name) name = f.name;
		bar.hidden = !kit.held;
		asks.hidden = kit.held;
		about.textContent = t(state === "staff" ? "person" : kit.held ? "queue" : "bot");
		still();
		if (state === "waiting") waiting(f);
		if (state === "staff") talking();
		const known = f.seq || before !== "bot"; // else the page has just been loaded: the bar says it
		if (known && (state === "staff" && (before !== state || other) || before === "staff" && state === "waiting"))
			line(f.text[lang]);
		if (before !== "bot" && before !== "closed" && !kit.held) {
			line(f.text ? f.text[lang] : t("ended"));
			if (before === "staff") solve();
		}
		if (f.read) setTimeout(mark, 0, f.read); // once the history is there
		kit.refresh();
	},
	staff_message(f) {
		still();
		if (items.has(f.message_id)) return;
		const item = kit.add(f.message_id, "staff");
		kit.finish(item, { text: f.text, author: f.name });
		last = f.message_id;
		if (panel.hidden) store.unread++;
		read();
		tell(f.name + ": " + f.text);
		kit.refresh();
		grown();
	},
	staff_typing(f) {
		still();
		dots = el("div.row", el("span.small", t("typing", f.name)), el("div.bubble.dots", el("i"), el("i"), el("i")));
		list.append(dots);
		quiet = setTimeout(still, 5000);
		grown();
	},
	read: (f) => mark(f.message_id),
	solved_saved: () => drop("later", (one) => one.type === "solved"),
};
kit.hear = (f) => HEAR[f.type]?.(f);
kit.seen = read;
kit.typed = () => { // not more often than staff can see
	if (state !== "staff" || Date.now() - told < 2500) return;
	told = Date.now();
	send({ type: "typing" });
};
for (const frame of kit.early || []) kit.hear(frame);
})();
