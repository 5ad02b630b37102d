// An app on Slack's own framework: a command, a button, a modal and the App Home. Each handler acknowledges last, so that
// whoever waits for the acknowledgement finds the rest done.
const { App, LogLevel, SocketModeReceiver } = require('@slack/bolt')

const clientOptions = { slackApiUrl: process.env.SLACK_API_URL }
const appToken = process.env.SLACK_APP_TOKEN
const receiver = new SocketModeReceiver({ appToken, installerOptions: { clientOptions }, logLevel: LogLevel.ERROR })
const app = new App({ token: process.env.SLACK_BOT_TOKEN, receiver, clientOptions, logLevel: LogLevel.ERROR })

const plain = (text) => ({ type: 'plain_text', text })
const section = (text) => ({ type: 'section', text: { type: 'mrkdwn', text } })
const button = (text, action_id) => ({ type: 'actions', elements: [{ type: 'button', text: plain(text), action_id }] })
const option = (value) => ({ text: plain(value + ' h'), value })
const input = (block_id, element) => ({ type: 'input', block_id, label: plain(block_id), element: { action_id: block_id, ...element } })
const modal = (blocks, more) => ({ type: 'modal', callback_id: 'ask', title: plain('Ask'), blocks, ...more })

app.command('/bolt', async ({ ack, command, respond }) => {
  await respond({ text: 'fallback', blocks: [section(`${command.user_name} wants ${command.text}`), button('Ask', 'ask')] })
  await ack()
})
app.action('ask', async ({ ack, body, client }) => {
  const why = input('why', { type: 'plain_text_input', min_length: 3 })
  const hours = input('hours', { type: 'static_select', options: [option('1'), option('8')], initial_option: option('1') })
  await client.views.open({ trigger_id: body.trigger_id, view: modal([why, hours], { submit: plain('Send') }) })
  await ack()
})
app.view('ask', async ({ ack, body, client, view }) => {
  const { why, hours } = view.state.values
  if (hours.hours.selected_option.value === '8') return ack({ response_action: 'errors', errors: { hours: 'Too long.' } })
  await client.chat.postMessage({ channel: body.user.id, text: `noted: ${why.why.value}` })
  return ack({ response_action: 'update', view: modal([section('It is noted.')]) })
})
const publish = (client, user_id, text) =>
  client.views.publish({ user_id, view: { type: 'home', blocks: [section(text), button('Press', 'press')] } })
app.event('app_home_opened', ({ client, event }) => publish(client, event.user, `the tab ${event.tab}`))
app.action('press', async ({ ack, body, client }) => {
  await publish(client, body.user.id, `pressed in a ${body.container.type} of type ${body.view.type}`)
  await ack()
})

receiver.client.on('connected', () => console.log('connected')) // what the test waits for
app.start()
