// A Wechaty gateway for tests: the real PuppetServer over PuppetMock, as many as are asked for in
// one process. Orders are JSON lines on stdin, reports are JSON lines on stdout. It leaves when its
// stdin closes. An order: {op, re, gate, …}; its answer: {re, value} or {re, error}. A report has
// `ev` and the gate's number: what the bot sent ('sent'), what else it did ('did'), and 'login'.
process.env.WECHATY_LOG ??= 'silent'

import { createServer } from 'node:net'
import { createInterface } from 'node:readline'

const { PuppetMock, mock } = await import('wechaty-puppet-mock')
const { PuppetServer } = await import('wechaty-puppet-service')
const { types } = await import('wechaty-puppet')

const write = line => process.stdout.write(JSON.stringify(line) + '\n')
const run = Date.now().toString(36)
let count = 0
const gates = new Map()

class GatePuppet extends PuppetMock {
  gate = null

  async roomMemberRawPayload (room, id) {
    const roomAlias = this.gate.aliases.get(`${room}/${id}`) ?? ''
    return { ...this.mocker.contactPayload(id), roomAlias }
  }

  async roomInvitationRawPayload (id) { return this.gate.invitations.get(id) }

  // `members: []` in a room's payload, as some puppets have it; the member list still tells.
  async roomMemberList (room) { return this.gate.lists.get(room) ?? this.mocker.roomPayload(room).memberIdList }
}

const SENDS = { messageSendText: 'text', messageSendFile: 'file', messageSendUrl: 'card' }
for (const [method, kind] of Object.entries(SENDS)) {
  GatePuppet.prototype[method] = async function (to, body, mentions) {
    const id = `b${run}-${++count}`
    const shown = body?.toBuffer ? { name: body.name, size: (await body.toBuffer()).length } : body
    this.gate.report({ ev: 'sent', id, kind, to, body: shown, mentions: mentions ?? [] })
    // Own messages come back as events, as they do in WeChat.
    if (kind === 'text') this.gate.say({ id, from: this.currentUserId, to, text: body, mentions })
    return id
  }
}

const DEEDS = ['roomInvitationAccept', 'roomAnnounce']
for (const what of DEEDS) {
  GatePuppet.prototype[what] = async function (...args) { this.gate.report({ ev: 'did', what, args }) }
}

// Any of these can be told to fail, to hang or to be slow, and each is counted.
const WATCHED = [
  ...Object.keys(SENDS), ...DEEDS, 'start', 'roomInvitationRawPayload', 'roomMemberList', 'roomList',
  'messageRawPayload', 'contactRawPayload', 'roomRawPayload', 'roomMemberRawPayload',
]
for (const method of WATCHED) {
  const real = GatePuppet.prototype[method]
  GatePuppet.prototype[method] = async function (...args) {
    const { calls, faults } = this.gate
    calls[method] = (calls[method] ?? 0) + 1
    const fault = faults.get(method)
    if (fault && fault.times-- > 0) {
      if (fault.hang) await new Promise(() => {})
      if (fault.ms) await new Promise(resolve => setTimeout(resolve, fault.ms))
      if (fault.error) throw Object.assign(new Error(fault.error), fault.code && { code: fault.code })
    }
    return real.apply(this, args)
  }
}

class Gate {
  aliases = new Map()
  invitations = new Map()
  lists = new Map()
  faults = new Map()
  calls = {}

  constructor (number) {
    this.number = number
    this.mocker = new mock.Mocker()
    this.puppet = new GatePuppet({ mocker: this.mocker })
    this.puppet.gate = this
    for (const ev of ['start', 'stop', 'login', 'logout']) this.puppet.on(ev, p => this.report({ ...p, ev }))
  }

  report (line) { write({ ...line, gate: this.number }) }

  // `tls`: with a certificate and key of the test, or `{}` for those that gateways come with.
  async open (port, token, tls = { disable: true }) {
    this.endpoint = `127.0.0.1:${port || await freePort()}`
    this.options = { endpoint: this.endpoint, puppet: this.puppet, token, tls: { disable: false, ...tls } }
    await this.serve()
    return this.endpoint
  }

  async serve () {
    this.server = new PuppetServer(this.options)
    await this.server.start()
  }

  // A room's id holds an '@'. `type` (a name or a number), `timestamp` and `id` may be given.
  say ({ from, to, mentions = [], type = 'Text', ...rest }) {
    const where = to.includes('@') ? { roomId: to } : { listenerId: to }
    const message = {
      id: `m${run}-${++count}`, timestamp: Date.now(), ...rest, ...where,
      talkerId: from, mentionIdList: mentions, type: types.Message[type] ?? type,
    }
    this.mocker.MessageMock.create(message)
    this.puppet.emit('message', { messageId: message.id })
    return message.id
  }

  contact (id) { return this.mocker.ContactMock.load(id) }

  room (id) { return this.mocker.RoomMock.load(id) }
}

const OPS = {
  close: g => { gates.delete(g.number); return g.server.stop() },
  // Its connections break, and nobody answers at its port; what it knows, it still knows.
  away: g => g.server.stop(),
  back: g => g.serve(),
  // As a gateway of before 2022, which has no such method.
  forget: (g, { method }) => g.server.grpcServer.unregister(`/wechaty.Puppet/${method}`),
  contact: (g, c) => g.mocker.createContact(c).id,
  rename: (g, { id, name }) => { g.mocker.contactPayload(id).name = name },
  room: (g, { id, topic, members, owner = '' }) =>
    g.mocker.createRoom({ id, topic, ownerId: owner, adminIdList: [], memberIdList: members }).id,
  // Changes what the room and its member list say, without an event.
  members: (g, { room, payload, list }) => {
    if (payload) g.mocker.roomPayload(room).memberIdList = payload
    if (list) g.lists.set(room, list)
  },
  alias: (g, { room, who, alias }) => { g.aliases.set(`${room}/${who}`, alias) },
  login: (g, { id }) => g.mocker.login(g.contact(id)),
  logout: (g, { reason }) => g.puppet.logout(reason),
  say: (g, message) => g.say(message),
  burst: (g, { texts, ...message }) => texts.map(text => g.say({ ...message, text })),
  crowd: (g, { messages }) => messages.map(message => g.say(message)),
  join: (g, { room, who, by }) => g.room(room).add(...who.map(id => g.contact(id))).by(g.contact(by)),
  leave: (g, { room, who, by }) => g.room(room).remove(...who.map(id => g.contact(id))).by(g.contact(by)),
  topic: (g, { room, topic, by }) => g.room(room).topic(topic).by(g.contact(by)),
  invite: (g, { id, ...invitation }) => {
    const payload = { avatar: '', invitation: '', memberCount: 3, memberIdList: [], receiverId: '', timestamp: Date.now() }
    g.invitations.set(id, { ...payload, ...invitation, id })
    g.puppet.emit('room-invite', { roomInvitationId: id })
  },
  emit: (g, { event, payload }) => { g.puppet.emit(event, payload) },
  fault: (g, { on, times = 1, ...fault }) => { g.faults.set(on, { ...fault, times }) },
  calls: g => g.calls,
}

async function open ({ port, token, tls }) {
  const gate = new Gate(++count)
  gates.set(gate.number, gate)
  return { gate: gate.number, endpoint: await gate.open(port, token, tls) }
}

function freePort () {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

createInterface({ input: process.stdin }).on('close', () => process.exit(0)).on('line', async line => {
  const { op, re, gate, ...args } = JSON.parse(line)
  try {
    const value = op === 'open' ? await open(args) : await OPS[op](gates.get(gate), args)
    write({ re, value: value ?? null })
  } catch (error) {
    write({ re, error: String(error) })
  }
})
