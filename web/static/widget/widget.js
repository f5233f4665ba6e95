/* Kefu's chat widget, in one custom element. Knows the protocol and what this browser keeps. Text becomes nodes, never markup. */
window.Kefu || (() => {
"use strict";

// ---- Where we are
const script = document.currentScript || document.querySelector('script[src*="widget.js"]');
const option = (name) => script?.dataset[name] || "";
const server = new URL(option("server").replace(/\/*$/, "/"), script?.src || location);
const lang = [option("language"), document.documentElement.lang, ...navigator.languages]
	.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => /zh|en/.test(tag)) || "en";
const LIMIT = 2000, PATIENCE = 60000, FULL = "(max-width:480px),(max-height:540px)";

// ---- Wording
const WORDS = {
	title: "在线客服|Support",
	about: "自动回答|Automated answers",
	open: "打开客服对话|Open support chat",
	close: "关闭|Close",
	privacy: "对话会保存，用于解答和改进服务。|This chat is kept to help you and improve our service. ",
	policy: "隐私说明|Privacy",
	ask: "请输入您的问题|Type your question",
	send: "发送|Send",
	stop: "停止回答|Stop answering",
	stopped: "已停止|Stopped",
	you: "您|You",
	latest: "新消息|New message",
	offline: "连接已断开，正在重连。消息会在恢复后发出。|Reconnecting. Messages will be sent once you are back online.",
	waiting: "待发送|Waiting to send",
	failed: "没有收到回答，请重试。|No answer arrived. Please try again.",
	retry: "重试|Try again",
	sources: "来源|Sources",
	faq: "常见问题|FAQ",
	document: "文档|Document",
	updated: "更新于 |Updated ",
	near: "最接近的内容|What comes nearest",
	none: "都不是|None of these",
	person: "转人工|Talk to a person",
	leave: "请留下联系方式，人工客服会与您联系。|Leave a contact and a person will get back to you.",
	contact: "电话、微信或邮箱|Phone or email",
	matter: "您的问题（选填）|Your question (optional)",
	saved: "已收到，我们会通过以下方式联系您：|Received. We will reach you at: ",
	good: "有帮助|Helpful",
	bad: "没有帮助|Not helpful",
	why: "哪里不好？|What was wrong?",
	wrong: "内容有误|Wrong",
	incomplete: "不完整|Incomplete",
	unclear: "看不明白|Unclear",
	other: "其他|Other",
	more: "补充说明（选填）|Tell us more (optional)",
	thanks: "谢谢，已记录。|Thank you, noted.",
};
const t = (key) => WORDS[key].split("|")[+(lang === "en")];

// ---- Style
const CSS = `
:host{all:initial!important;direction:ltr!important}
*{box-sizing:border-box;margin:0;padding:0}
button,input,textarea{font:inherit;color:inherit}
[hidden]{display:none!important}
.root{--c:var(--kefu-color,#2754d8);--on:var(--kefu-on-color,var(--auto,#fff));--bg:#fff;--acc:var(--c);
--soft:#f1f3f7;--mute:#5a6170;--line:#dce0e8;--bad:#b3261e;--warn:#fff3d1;--e:env(safe-area-inset-bottom);
--b:calc(var(--kefu-bottom,20px) + var(--e));--edge:1px solid var(--line);color:#16181d;color-scheme:light;overflow-wrap:anywhere;
font:15px/1.5 var(--kefu-font,system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif)}
.pale{--acc:color-mix(in srgb,var(--c) 45%,#000)}
.dark{--bg:#17191f;--acc:color-mix(in srgb,var(--c) 40%,#fff);--soft:#262a33;--mute:#a7aebb;--line:#3a404c;
--bad:#ff9d94;--warn:#3d3213;color:#eceef3;color-scheme:dark}
:lang(zh){line-height:1.7}
.bubble:lang(en){line-height:1.5}
button{background:0;border:0;border-radius:22px;cursor:pointer;text-align:start;min-height:44px;min-width:44px;line-height:1.4;flex:none}
:focus-visible{outline:2px solid var(--acc);outline-offset:2px}
svg{display:block;width:20px;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round}
.sr{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.fab,.icon,.go{display:grid;place-items:center}
.fab,.go,.head,.full,.me .bubble{background:var(--c);color:var(--on)}
.main,.sheet,.latest,.count,input,textarea{background:var(--bg)}
.pick,.why,.chip,.latest,input,textarea{border:var(--edge)}
.bar,.source,th,td{border-bottom:var(--edge)}
.pick,.why,.full,input,textarea{border-radius:12px;padding:9px 14px}
.head,.bar,.source,.rate,.line,.chips,.state{display:flex;align-items:center;gap:8px}
.list,.sources,.body{display:grid;gap:8px;width:80%;margin-top:8px}
.small,.who,.strip,.source{font-size:13px}
.chip,.person,.latest{padding:0 14px;font-size:14px}
.small,.rate{color:var(--mute)}
.bad{color:var(--bad)}
a,.cite,.num,.strong,[aria-pressed=true]{color:var(--acc)}
h2,.strong,.num,.full,.person,.badge{font-weight:600}
.num,.full,.badge{text-align:center}
.fab,.panel{position:fixed;z-index:var(--kefu-z,2147483000);right:var(--kefu-right,20px);bottom:var(--b);box-shadow:0 5px 28px #0005,0 0 0 1px #8883}
.fab{width:56px;height:56px;border-radius:50%}
.fab svg{width:27px}
.badge{position:absolute;top:-3px;right:-3px;min-width:21px;padding:0 5px;border-radius:11px;background:#c5221f;color:#fff;
font-size:12px;line-height:21px}
.panel{bottom:calc(var(--b) + 70px);width:400px;max-width:calc(100vw - 40px);height:min(690px,100vh - 90px - var(--b));
border-radius:16px;overflow:hidden}
.main,.sheet{position:absolute;inset:0;display:flex;flex-direction:column}
.head,.bar{padding:calc(10px + env(safe-area-inset-top)) 6px 10px 16px}
.head :focus-visible{outline-color:var(--on);outline-offset:-3px}
.who{flex:1;min-width:0;line-height:1.4}
h2,h2.who{font-size:17px}
.person{border:1px solid}
.icon:hover{background:#8883}
.strip{background:var(--warn);padding:8px 16px}
.log{flex:1;overflow-y:auto;overscroll-behavior:contain;padding:18px 16px 6px;outline-offset:-3px}
.row{display:flex;flex-direction:column;align-items:start;margin-bottom:14px}
.me{align-items:end}
.bubble{max-width:80%;padding:9px 14px;border-radius:16px 16px 16px 4px;background:var(--soft)}
.me .bubble{border-radius:16px 16px 4px;white-space:pre-wrap}
.bubble>*+*,.quote>*+*{margin-top:8px}
li{margin:3px 0 0 20px}
code{font:.9em monospace;background:#8882}
table{display:block;overflow-x:auto;border-collapse:collapse;overflow-wrap:normal}
th,td{padding:5px 14px 5px 0;text-align:start}
.cite{font-size:11px;vertical-align:super;padding:0 2px;cursor:pointer}
.dots i{display:inline-block;width:7px;height:7px;margin:0 5px 0 0;border-radius:50%;background:var(--mute);animation:dot 1.2s infinite}
.dots i+i{animation-delay:.15s}
.dots i+i+i{animation-delay:.3s}
@keyframes dot{0%,60%,to{opacity:.3}30%{opacity:1}}
.sources{gap:0;margin:0}
.pick:hover,.source:hover{background:var(--soft)}
.strong,[aria-pressed=true]{border-color:var(--acc)}
.source{border-radius:0}
bdi{flex:1;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.num{min-width:20px;border-radius:6px;background:var(--soft);line-height:20px}
.rate{margin-left:-12px}
.down svg{transform:scaleY(-1)}
.why{width:100%}
.chips{flex-wrap:wrap;margin:6px 0 10px}
::placeholder{color:var(--mute);opacity:1}
input,textarea{width:100%;min-width:0;min-height:44px;line-height:24px;resize:none}
.state{max-width:80%}
.state button{text-decoration:underline;text-align:end}
.latest{position:absolute;left:34%;bottom:calc(100% + 8px);box-shadow:0 3px 12px #0003}
.compose{position:relative;display:flex;align-items:end;gap:6px;padding:10px 12px calc(10px + var(--e));border-top:var(--edge)}
.compose textarea{border-radius:22px;max-height:130px}
.go:disabled{background:var(--soft);color:var(--mute)}
.stop svg{fill:currentColor}
.count{position:absolute;right:14px;bottom:100%;padding:0 8px}
.body{width:100%;margin:0;padding:16px;overflow-y:auto;gap:14px}
.quote{border-left:3px solid var(--acc);padding-left:14px;min-width:0}
@media ${FULL}{.panel{inset:var(--top,0) 0 auto auto;width:min(480px,100%);max-width:100%;height:var(--high,100%);border-radius:0}
.open .fab{display:none}input,textarea{font-size:16px}}
@media (prefers-reduced-motion){*{animation:none!important}}`;

// ---- Nodes
/** An element: "tag.class", properties or attributes, kids: nodes, text, lists of them. */
const el = (spec, props, ...kids) => {
	const [tag, ...names] = spec.split("."), node = document.createElement(tag);
	node.className = names.join(" ");
	if (props?.constructor !== Object) kids.unshift(props);
	else for (const name in props) if (name in node) node[name] = props[name]; else node.setAttribute(name, props[name]);
	node.append(...kids.flat().filter(Boolean));
	return node;
};
const button = (look, label, onclick, name) =>
	el("button" + look, { type: "button", onclick, ...(name && { ariaLabel: name, title: name }) }, label);
const pick = (text) => button(".pick", text, () => say(text));
const group = (look, ariaLabel, ...kids) => el("div" + look, { role: "group", ariaLabel }, ...kids);
const icon = (d) => {
	const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
	svg.setAttribute("viewBox", "0 0 24 24");
	path.setAttribute("d", d);
	svg.append(path);
	return svg;
};
const CHAT = "M12 4a8 8 0 0 0-6.7 12.3L4 20l4-1a8 8 0 1 0 4-15zM8.5 10.5h7M8.5 13.5h4.5", CLOSE = "M6 6l12 12M18 6L6 18",
	DOWN = "M6 9l6 6 6-6", SEND = "M12 19V5M6 11l6-6 6 6", STOP = "M7 7h10v10H7z",
	THUMB = "M7 11v9H4v-9zM7 11l4-8q3 0 2.3 3l-.6 3H18a2 2 0 0 1 2 2.4l-1.3 6.8a2 2 0 0 1-2 1.8H7";
const entered = (act) => (event) => { // not the Enter that ends a Chinese composition
	if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
	event.preventDefault();
	act();
};

// ---- Markdown-lite
// `code`, **bold**, *italics*, _italics_, [label](link), [1], bare link; cite(n) gives a node
const INLINE = /`([^`]{1,999})`|\*\*(?=\S)(.{1,999}?)\*\*|(?:\B\*|\b_)(?=\S)([^*_]{1,999})[*_](?!\w)|\[([^\]]{1,999})\]\(([^)\s]{1,999})\)|\[(\d\d?)\]|\b(https?:\/\/[^\s<>"'`)\]、-〗！-～”]{1,999})/;
const link = (href, label) =>
	/^(https?:\/\/|mailto:|tel:)/i.test(href) ? el("a", { href, target: "_blank", rel: "noopener noreferrer" }, label) : label;
const inline = (text, cite) => {
	const nodes = [];
	for (let m; (m = INLINE.exec(text)); text = text.slice(m.index + m[0].length)) {
		const [all, code, bold, italic, label, href, number, bare] = m;
		nodes.push(text.slice(0, m.index),
			code ? el("code", code) : bold ? el("b", inline(bold, cite)) : italic ? el("em", inline(italic, cite)) : label ? link(href, label) : bare ? link(bare.replace(/[.,;:!?*_]+$/, ""), bare) : cite?.(+number) || all);
	}
	return [...nodes, text];
};
const markdown = (text, cite) => {
	const blocks = [];
	let open, m; // open: the block that the next line may go on with
	const into = (tag, ...nodes) => {
		if (open?.localName !== tag) blocks.push(open = el(tag));
		open.append(...nodes);
	};
	for (const line of text.split(/\r?\n/)) {
		const put = (tag, part, props) => el(tag, props, inline(part, cite));
		if (!line.trim()) open = null;
		else if ((m = /^#+\s+(.+)/.exec(line))) blocks.push(el("p", put("b", m[1]))), open = null;
		else if ((m = /^\s*[-*+•]\s+(.+)/.exec(line))) into("ul", put("li", m[1]));
		else if ((m = /^\s*(\d{1,3})(?:[.)]\s|、)\s*(.+)/.exec(line))) into("ol", put("li", m[2], { value: m[1] }));
		else if (!(m = /^\s*\|(.*)\|\s*$/.exec(line)))
			into("p", open?.localName === "p" ? el("br") : "", ...inline(line, cite));
		else if (/[^\s|:-]/.test(line)) {
			const cell = open?.localName === "table" ? "td" : "th";
			into("table", el("tr", m[1].split("|").map((part) => put(cell, part.trim()))));
		}
	}
	return blocks;
};

// ---- Kept in this browser, else in memory
const KEY = "kefu:" + server.host;
const store = { queue: [], later: [], unread: 0, draft: "" }; // queue: {id, text, failed}; later: frames to be confirmed
try { Object.assign(store, JSON.parse(localStorage[KEY])); } catch { /* nothing kept */ }
const save = () => { try { localStorage[KEY] = JSON.stringify(store); } catch { /* in memory only */ } };
const drop = (list, test) => { store[list] = store[list].filter((one) => !test(one)); save(); };
const over = (id) => drop("queue", (one) => one.id === id);
const queued = (id) => store.queue.find((one) => one.id === id);

// ---- Connection; ready once there is a session
let socket, overdue, ready, tries = 0;
const connect = () => {
	if (socket) return;
	const url = new URL("ws/chat", server);
	url.protocol = server.protocol.replace("http", "ws");
	if (store.token) url.search = new URLSearchParams({ token: store.token, last_seq: seq });
	let mine = {};
	try { mine = new WebSocket(url); } catch { setTimeout(lost, 0, mine); }
	socket = mine;
	mine.onclose = () => lost(mine);
	mine.onmessage = ({ data }) => { if (mine === socket) clearTimeout(overdue), receive(JSON.parse(data)); };
};
const send = (frame) => ready && socket.send(JSON.stringify(frame));
const hangUp = (mine) => { mine.close?.(); lost(mine); };
setInterval(() => {
	send({ type: "ping" });
	if (ready) overdue = setTimeout(hangUp, 9000, socket);
}, 25000);
const lost = (mine) => {
	if (mine !== socket) return;
	socket = ready = sent = null;
	setTimeout(connect, Math.min(30000, 500 * 2 ** tries++) * (0.5 + Math.random() / 2));
	if (live && !live.id) settle();
	refresh();
	setTimeout(() => {
		if (ready) return;
		strip.hidden = false;
		strip.textContent = t("offline");
		if (live && !live.text) settle();
		for (const one of store.queue) if (!one.failed) mark(one.id, "waiting");
	}, 800);
};

// ---- The conversation; sent: id of the message without an answer; live: the answer being written
let seq = 0, sent, live, patience, drawing, stuck = true, back;
const items = new Map(); // id → message shown: {id, mine, text, row, bubble, done, known}

// ---- The panel
const badge = el("span.badge"), face = el("span"), fab = button(".fab", [face, badge], () => show(panel.hidden));
const strip = el("p.strip", { role: "status", hidden: true }), intro = el("div"), list = el("div");
const log = el("div.log", { tabIndex: 0, role: "region", ariaLabel: t("title"), onscroll() {
	stuck = log.scrollHeight - log.scrollTop - log.clientHeight < 48;
	if (stuck) latest.hidden = true;
} }, intro, list);
const input = el("textarea", { rows: 1, placeholder: t("ask"), ariaLabel: t("ask"), value: store.draft, enterKeyHint: "send",
	oninput() { refresh(); kit.typed?.(); }, onkeydown: entered(() => submit()) });
const sender = button(".go", icon(SEND), () => submit(), t("send"));
const stopper = button(".go.stop", icon(STOP), () => send({ type: "stop" }), t("stop"));
const count = el("span.small.count"), latest = button(".latest", "↓ " + t("latest"), () => bottom());
const main = el("div.main",
	el("div.head", el("div.who", el("h2", option("title") || t("title")), el("p", t("about"))),
		button(".person", t("person"), () => person()), button(".icon", icon(CLOSE), () => show(false), t("close"))),
	strip, log, el("div.compose", latest, count, input, stopper, sender));
const sheet = el("div.sheet", { role: "dialog", ariaModal: "true", hidden: true });
const voice = el("div.sr", { role: "status" });
const panel = el("div.panel", { role: "dialog", ariaLabel: t("title"), tabIndex: -1, hidden: true }, main, sheet, voice);
const root = el("div.root", { lang }, panel, fab);

const show = (open) => {
	if (panel.hidden !== open) return;
	panel.hidden = !open;
	paint();
	if (!open) return refresh(), fab.focus();
	panel.ariaModal = matchMedia(FULL).matches;
	store.unread = 0;
	fit();
	connect();
	bottom();
	refresh();
	focus();
	kit.seen?.();
};
const focus = () => (matchMedia("(pointer:fine)").matches ? input : panel).focus();
const paint = () => { // any colour must be readable
	const [r, g, b] = getComputedStyle(fab).backgroundColor.match(/[\d.]+/g).map((n) => (n / 255) ** 2.2);
	const pale = 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.183, theme = option("theme");
	const night = theme === "dark" || theme !== "light" && dark.matches;
	root.style.setProperty("--auto", pale ? "#111" : "#fff");
	root.className = (night ? "dark" : pale ? "pale" : "") + (panel.hidden ? " root" : " root open");
};
const keys = (event) => {
	event.stopPropagation(); // the page's shortcuts are not meant
	if (event.type !== "keydown" || event.isComposing) return;
	const here = shade.activeElement, all = [...here?.closest("[role=group]")?.querySelectorAll("button") || []];
	const step = /^Arrow[DR]/.test(event.key) - /^Arrow[UL]/.test(event.key), at = all.indexOf(here);
	if (event.key === "Escape") sheet.hidden ? show(false) : closeSheet();
	else if (step && at >= 0) event.preventDefault(), all.at((at + step) % all.length).focus();
};
const refresh = () => {
	input.style.height = "auto";
	input.style.height = input.scrollHeight + 2 + "px";
	store.draft = input.value;
	const closed = panel.hidden, long = [...input.value].length, blank = !input.value.trim();
	count.hidden = long < LIMIT * 0.9;
	count.textContent = `${long} / ${LIMIT}`;
	count.classList.toggle("bad", long > LIMIT);
	stopper.hidden = !sent;
	sender.hidden = sent && blank;
	sender.disabled = blank || long > LIMIT;
	badge.hidden = !closed || !store.unread;
	badge.textContent = store.unread;
	face.replaceChildren(icon(closed ? CHAT : DOWN));
	fab.ariaLabel = t(closed ? "open" : "close") + (badge.hidden ? "" : ` (${store.unread})`);
	fab.ariaExpanded = !closed;
	if (stuck) bottom();
	save();
};
const bottom = () => {
	log.scrollTop = log.scrollHeight;
	stuck = latest.hidden = true;
};
const grown = () => { if (stuck) bottom(); else latest.hidden = false; };

// ---- Saying something
const submit = () => {
	if (sender.disabled) return;
	const text = input.value.trim();
	input.value = "";
	say(text);
	input.focus();
};
const say = (text) => {
	const id = Math.random().toString(36).slice(2) + Date.now();
	store.queue.push({ id, text });
	customer(id, text);
	go(id);
};
const go = (id) => {
	bottom();
	connect();
	flush();
	if (!strip.hidden) mark(id, "waiting"); else if (!live && !kit.held) think(id);
	refresh();
	focus();
};
const flush = () => { // one at a time
	const next = store.queue.find((one) => !one.failed);
	if (!ready || sent || !next) return;
	sent = next.id;
	mark(sent);
	send({ type: "message", text: next.text, id: sent });
	if (!live && !kit.held) think(sent);
	watch();
	refresh();
};
const watch = () => {
	clearTimeout(patience);
	if (sent) patience = setTimeout(() => fail(sent, t("failed")), PATIENCE);
};
const settle = (id) => {
	if (live && !live.text && !live.done) live.row.remove(), items.delete(live.id);
	live = null;
	if (sent === id) sent = null;
	clearTimeout(patience);
};
const ended = () => { refresh(); grown(); flush(); };
const fail = (id, text) => {
	const one = queued(id);
	settle(id);
	if (!one) return note(text);
	one.failed = true;
	mark(id, "failed", text);
	voice.textContent = text;
	ended();
};
const retry = (id) => {
	const one = queued(id);
	drop("queue", (other) => other === one);
	store.queue.push({ id, text: one.text });
	list.append(items.get(id).row);
	mark(id);
	go(id);
};
const deliver = (frame) => { // kept until the server confirms it
	drop("later", (one) => one.type === frame.type && one.message_id === frame.message_id);
	store.later.push(frame);
	save();
	connect();
	send(frame);
};

// ---- Showing messages
const add = (id, role, after) => {
	const mine = role === "customer", bubble = el("div.bubble");
	const item = { id, mine, text: "", bubble, row: el(mine ? "div.row.me" : "div.row", el("span.sr", t(mine ? "you" : "title") + ": "), bubble) };
	if (after) after.after(item.row); else list.append(item.row);
	if (id) items.set(id, item);
	return item;
};
const customer = (id, text) => {
	for (const node of shade.querySelectorAll(".choices")) node.remove();
	const item = add(id, "customer");
	item.bubble.textContent = item.text = text;
	return item;
};
const mark = (id, state, text) => {
	const item = items.get(id);
	item.state?.remove();
	if (state) item.row.append(item.state = el(text ? "div.state.small.bad" : "div.state.small", el("span", text || t(state)),
		button("", t("retry"), () => retry(id))));
};
const think = (id) => {
	live = add(null, "bot", items.get(id)?.row);
	live.bubble.className += " dots";
	live.bubble.append(el("i"), el("i"), el("i"));
	grown();
};
const note = (text) => {
	list.append(el("div.row", el("div.bubble", text)));
	voice.textContent = text;
	grown();
};

// ---- Hearing something
const receive = (frame) => {
	if (frame.seq <= seq) return;
	if (frame.seq) seq = frame.seq, watch();
	(HEAR[frame.type] || people)(frame);
};
const HEAR = { // f: a frame
	session(f) {
		ready = strip.hidden = true;
		tries = 0;
		store.token = f.token;
		greet(f);
		const d = f.desk;
		if (d?.hours) lead.textContent = d.hours[lang];
		if (d) if (d.state === "bot" && !kit.held) kit.open = d.open; else people({ ...d, type: "desk" });
		if (f.resumed) merge(f.history), seq = Math.min(seq, f.last_seq);
		else {
			seq = 0;
			if (live?.id) settle();
			for (const item of items.values()) item.known = !queued(item.id); // earlier ones
		}
		store.later.forEach(send);
		ended();
	},
	start({ message_id: id, reply_to, language }) {
		const item = items.get(id);
		if (item?.done) return;
		if (item) live = item; else if (!live || live.id) think(reply_to);
		items.set(live.id = id, live);
		live.text = "";
		live.bubble.lang = language;
		sent = reply_to || sent;
		refresh();
	},
	token(f) {
		const item = items.get(f.message_id);
		if (!item || item.done) return;
		item.text += f.text;
		drawing ||= requestAnimationFrame(() => {
			drawing = 0;
			if (item.done) return;
			item.bubble.className = "bubble";
			item.bubble.replaceChildren(...markdown(item.text));
			grown();
		});
	},
	answer(f) {
		const id = f.reply_to ?? sent;
		const item = items.get(f.message_id) || (live && !live.id ? live : add(null, "bot", items.get(id)?.row));
		items.set(item.id = f.message_id, item);
		finish(item, f);
		settle(id);
		over(id);
		if (panel.hidden) store.unread++;
		voice.textContent = t("title") + ": " + item.bubble.textContent;
		ended();
	},
	error(f) {
		const text = f.text[lang], id = f.reply_to ?? sent;
		if (f.code === "unauthorized") items.size && note(text); // a new session follows
		else if (!ready) strip.hidden = false, strip.textContent = text;
		else if (f.code === "unknown_message") drop("later", (one) => one.message_id);
		else if (!f.reply_to && form.isConnected) drop("later", (one) => one.contact), state.textContent = text;
		else {
			if (live) live.text = ""; // a half answer is none
			fail(id, text);
		}
	},
	feedback_saved({ message_id }) {
		drop("later", (one) => one.message_id === message_id);
		const thanks = items.get(message_id)?.thanks;
		if (thanks) thanks.textContent = t("thanks");
	},
	received({ message_id, reply_to: id }) {
		const item = items.get(id);
		if (item) items.set(message_id, item), item.known = true, mark(id);
		settle(id);
		over(id);
		ended();
	},
	pong() {},
	contact_saved() {
		const said = store.later.find((one) => one.contact);
		drop("later", (one) => one === said);
		if (form.isConnected) closeSheet();
		note(t("saved") + said?.contact);
		contact.value = matter.value = state.textContent = "";
	},
};
const greet = ({ greeting, suggestions, privacy_url: url }) => {
	if (intro.firstChild) return;
	intro.append(el("div.row", el("div.bubble", markdown(greeting[lang])), !items.size && group(".list.choices", t("faq"),
		suggestions[lang].map(pick))),
	el("p.small.row", el("span", t("privacy"), url && link(new URL(url, server).href, t("policy")))));
};
const merge = (history) => {
	let asked;
	for (const past of history) {
		const all = [...items.values()], mine = past.role === "customer";
		let item = items.get(past.id) || (mine && all.find((one) => one.mine && !one.known && one.text === past.text));
		if (!item) {
			const tail = all.find((one) => !one.known && queued(one.id));
			item = mine ? customer(past.id, past.text) : add(past.id);
			tail?.row.before(item.row);
		}
		item.known = true;
		items.set(past.id, item);
		if (mine) asked = item;
		else if (!item.done) finish(item, past);
		if (live === item) live = null;
		if (asked && (!mine || kit.held)) mark(asked.id), over(asked.id);
	}
};

// ---- Answers
const finish = (item, { text, author, kind, language, stopped, citations = [], options = [] }) => {
	const { bubble, row } = item, open = (one) => () => source(one);
	const cite = (number) => {
		const one = citations.find((other) => other.number === number);
		return one && el("span.cite", { role: "button", tabIndex: 0, onclick: open(one), onkeydown: entered(open(one)) }, `[${number}]`);
	};
	item.done = true;
	item.text = text;
	if (item.author = author) row.prepend(el("span.small", author));
	bubble.className = "bubble";
	bubble.lang = language || lang;
	bubble.replaceChildren(...markdown(text, cite));
	if (stopped) bubble.append(el("p.small", t("stopped")));
	if (citations.length) row.append(group(".sources", t("sources"), citations.map((one) =>
		button(".source", [el("span.num", one.number), el("bdi", one.title), el("span.small", t(one.kind))], open(one)))));
	if (!stopped && /faq|grounded/.test(kind)) rating(item);
	if (!(kit.held ? /clarify/ : /clarify|abstain|handoff/).test(kind)) return;
	row.append(group(".list.choices", t("near"), kind === "abstain" && options.length && el("span.small", t("near")), options.map(pick),
		kind === "clarify" ? pick(t("none")) : button(".pick.strong", t("person"), person)));
};
const rating = (item) => {
	const vote = { type: "feedback", message_id: item.id };
	const press = (chosen, all) => all.forEach((one) => { one.ariaPressed = one === chosen; });
	const tell = (change) => deliver({ ...Object.assign(vote, change) });
	const finished = () => { tell({ comment: more.value.trim() }); why.remove(); down.focus(); };
	const more = el("input", { placeholder: t("more"), ariaLabel: t("more"), maxLength: 1000, onkeydown: entered(() => finished()) });
	const chips = ["wrong", "incomplete", "unclear", "other"].map((reason) =>
		button(".chip", t(reason), ({ target }) => { press(target, chips); tell({ reason }); }));
	const why = group(".why", t("why"), el("span.small", t("why")), el("div.chips", chips), el("div.line", more, button(".full", t("send"), finished)));
	const judge = (helpful) => () => {
		press(helpful ? up : down, [up, down]);
		if (helpful) why.remove(), delete vote.reason; else item.row.append(why), grown();
		tell({ helpful });
	};
	const up = button(".icon", icon(THUMB), judge(true), t("good")), down = button(".icon.down", icon(THUMB), judge(false), t("bad"));
	press(null, [up, down, ...chips]);
	item.thanks = el("span.small", { role: "status" });
	item.row.append(el("div.rate", up, down, item.thanks));
};

// ---- The sheet: a source, or the contact form
const openSheet = (title, body, focus) => {
	if (sheet.hidden) back = shade.activeElement;
	const close = button(".icon", icon(CLOSE), closeSheet, t("close"));
	sheet.replaceChildren(el("div.bar", el("h2.who", title), close), body);
	sheet.ariaLabel = title;
	sheet.hidden = false;
	main.inert = true;
	(focus || close).focus();
};
const closeSheet = () => {
	sheet.hidden = true;
	sheet.replaceChildren();
	main.inert = false;
	(back?.isConnected ? back : input).focus();
};
const source = ({ kind, title, headings, quote, updated }) => {
	const when = t("updated") + new Date(updated).toLocaleDateString(lang, { dateStyle: "long" });
	openSheet(title, el("div.body", el("p.small", [t(kind), ...headings].join(" › ") + " · " + when), el("div.quote", markdown(quote))));
};
const contact = el("input", { maxLength: 200, autocomplete: "email", onkeydown: entered(() => hand()) });
const matter = el("textarea", { maxLength: LIMIT, rows: 4 }), state = el("p.bad", { role: "alert" });
const hand = () => {
	const to = contact.value.trim(), missing = to.length < 3;
	state.textContent = missing ? t("leave") : strip.hidden ? "…" : t("offline");
	if (missing) contact.focus(); else deliver({ type: "contact", contact: to, text: matter.value.trim() });
};
const lead = el("p", t("leave"));
const form = el("div.body", lead, el("label", t("contact"), contact), el("label", t("matter"), matter), state,
	button(".full", t("send"), hand));
const contactForm = () => openSheet(t("person"), form, contact);

// ---- People: shown by desk.js
const person = () => kit.open ? say(t("person")) : kit.open == null && strip.hidden ? setTimeout(person, 99) : contactForm();
const people = (f) => {
	if (f.type === "desk") kit.open = f.open, kit.held = /waiting|staff/.test(f.state);
	if (kit.hear) return kit.hear(f);
	if (!kit.early) document.head.append(el("script", { src: new URL("desk.js", server), nonce: script?.nonce })), kit.early = [];
	kit.early.push(f);
};

// ---- On the page
const dark = matchMedia("(prefers-color-scheme:dark)"), view = window.visualViewport;
const fit = () => { // above a phone's keyboard, unless pinched
	if (view.scale > 1.05) return;
	panel.style.setProperty("--high", view.height + "px");
	panel.style.setProperty("--top", view.offsetTop + "px");
	if (stuck) bottom();
};
view.onresize = view.onscroll = fit;
dark.onchange = paint;
for (const type of ["keydown", "keyup", "keypress"]) root.addEventListener(type, keys);
const wake = () => tries && !document.hidden && connect();
addEventListener("online", wake);
addEventListener("offline", () => socket && hangUp(socket));
document.addEventListener("visibilitychange", wake);

customElements.define("kefu-widget", class extends HTMLElement {});
const widget = document.createElement("kefu-widget"), shade = widget.attachShadow({ mode: "open" }), styles = new CSSStyleSheet();
styles.replaceSync(CSS);
shade.adoptedStyleSheets = [styles];
shade.append(root);
const kit = { el, button, group, add, finish, items, list, strip, panel, voice, lang, shade, send, deliver, drop, grown, refresh, store };
window.Kefu = { open: () => show(true), close: () => show(false), kit };
const place = () => {
	document.body.append(widget);
	for (const one of store.queue) customer(one.id, one.text), mark(one.id, one.failed && "failed");
	if (store.token || store.queue.length) connect();
	paint();
	refresh();
};
if (document.body) place(); else addEventListener("DOMContentLoaded", place);
})();
