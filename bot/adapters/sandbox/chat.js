// The chat as a phone shows it: header, bubbles, and the bar to write in. What people wrote is only
// ever put in as text. What is being typed stays here until it is sent, so no keystroke can be lost.
const GAP = 5 * 60; // seconds of silence after which the time stands between two messages
const MOST = 400; // messages that stay on the page; the rest is behind 看更早的

export default {
  template: `
    <section class="phone" :class="{ empty: !lines.length }">
      <header class="phone-head">
        <button v-if="back" class="head-button" type="button" aria-label="回到群里" @click="$emit('back')">
          <svg viewBox="0 0 24 24"><path d="M15 4 7 12l8 8" /></svg>
        </button>
        <span v-else class="head-button"></span>
        <div class="head-words">
          <h1><span>{{ title }}</span><span v-if="count">（{{ count }}）</span></h1>
          <p>{{ note }}</p>
        </div>
        <button class="head-button menu" type="button" aria-label="控制台" @click="$emit('menu')">
          <svg viewBox="0 0 24 24" class="dots">
            <circle cx="5" cy="12" r="1.7" /><circle cx="12" cy="12" r="1.7" /><circle cx="19" cy="12" r="1.7" />
          </svg>
        </button>
      </header>

      <div ref="stream" class="stream" role="log" aria-label="聊天记录" @scroll.passive="look">
        <ol ref="list">
          <li v-if="older" class="earlier"><button type="button" @click="earlier">看更早的</button></li>
          <template v-for="(line, i) in lines" :key="line.seq">
            <li v-if="stamped(i)" class="stamp"><time>{{ line.time }}</time></li>
            <li class="line" :class="{ mine: line.sender === me, bot: line.sender === 'bot' }">
              <img v-if="line.sender === 'bot'" class="face" :src="logo" alt="" />
              <span v-else class="face" :style="{ background: line.color }" aria-hidden="true">{{ line.letter }}</span>
              <div class="said">
                <span v-if="line.sender !== me" class="who">{{ line.name }}</span>
                <p v-if="line.text" class="bubble">{{ line.text }}</p>
                <a v-if="line.picture" class="picture" :href="line.picture" target="_blank" rel="noopener">
                  <img :src="line.picture" alt="图片" />
                </a>
                <a v-if="line.file" class="card file" :href="line.file.url" :download="line.file.name">
                  <strong>{{ line.file.name }}</strong><small>文件</small>
                </a>
                <component v-if="line.card" :is="line.card.url ? 'a' : 'div'" class="card"
                  :href="line.card.url || null" target="_blank" rel="noopener noreferrer">
                  <strong>{{ line.card.title }}</strong>
                  <span v-if="line.card.description">{{ line.card.description }}</span>
                  <small>{{ line.card.url }}</small>
                </component>
              </div>
            </li>
          </template>
        </ol>
      </div>
      <button v-if="unseen" class="unseen" type="button" @click="toEnd">{{ unseen }} 条新消息</button>

      <footer class="phone-foot">
        <div v-if="open" class="chips">
          <button v-for="chip in chips" :key="chip" type="button" @click="$emit('say', chip)">{{ chip }}</button>
        </div>
        <form class="bar" @submit.prevent="send">
          <textarea
            ref="draft" rows="1" maxlength="5000" enterkeyhint="send" autocomplete="off" aria-label="消息"
            :placeholder="hint" :disabled="!open" @input="grow" @keydown.enter="enter"
          ></textarea>
          <button class="send" :class="{ ready: written }" type="submit" :disabled="!open">发送</button>
        </form>
      </footer>
    </section>
  `,

  props: {
    logo: String,
    title: String,
    count: Number,
    note: String,
    me: String,
    hint: String,
    chips: Array,
    back: Boolean,
    open: Boolean,
  },
  emits: ["say", "menu", "back", "earlier"],

  data() {
    return { lines: [], older: false, unseen: 0, written: false };
  },

  mounted() {
    this.atEnd = true;
    this.top = 0;
    this.watching = new ResizeObserver(() => this.atEnd && this.toEnd());
    this.watching.observe(this.$refs.stream);
    this.watching.observe(this.$refs.list);
  },
  beforeUnmount() {
    this.watching.disconnect();
  },

  methods: {
    // Called from Python.
    show(lines, older) {
      this.lines = lines;
      this.older = older;
      this.unseen = 0;
      this.atEnd = true;
      this.$nextTick(this.toEnd);
    },
    add(lines) {
      this.lines.push(...lines);
      if (lines.some((line) => line.sender === this.me)) this.atEnd = true;
      if (!this.atEnd) {
        this.unseen += lines.length;
        return;
      }
      if (this.lines.length > MOST) {
        this.lines.splice(0, this.lines.length - MOST);
        this.older = true;
      }
      this.$nextTick(this.toEnd);
    },
    before(lines, older) {
      const stream = this.$refs.stream;
      const below = stream.scrollHeight - stream.scrollTop;
      this.atEnd = false;
      this.lines.unshift(...lines);
      this.older = older;
      this.$nextTick(() => (stream.scrollTop = stream.scrollHeight - below));
    },
    giveBack(text) {
      const draft = this.$refs.draft;
      draft.value = draft.value ? `${text}\n${draft.value}` : text;
      this.grow();
    },

    stamped(i) {
      return !i || this.lines[i].at - this.lines[i - 1].at > GAP;
    },
    earlier() {
      this.$emit("earlier", this.lines[0].seq);
    },
    look() {
      const { scrollHeight, scrollTop, clientHeight } = this.$refs.stream;
      const near = scrollHeight - scrollTop - clientHeight < 60;
      // Only who scrolls up leaves the end; a picture that arrives late does not take them from it.
      if (near || scrollTop < this.top) this.atEnd = near;
      this.top = scrollTop;
      if (this.atEnd) this.unseen = 0;
    },
    toEnd() {
      const stream = this.$refs.stream;
      if (stream) stream.scrollTop = stream.scrollHeight;
    },
    enter(event) {
      // An Enter that ends a word of the input method is not yet meant to send.
      if (event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.send();
    },
    send() {
      const draft = this.$refs.draft;
      const text = draft.value;
      if (!text.trim()) return;
      draft.value = "";
      this.grow();
      this.$emit("say", text);
    },
    grow() {
      const draft = this.$refs.draft;
      this.written = draft.value.trim() !== "";
      draft.style.height = "auto";
      draft.style.height = `${Math.min(draft.scrollHeight, 120)}px`;
    },
  },
};
