// Each of these says which kinds of objects its proxies are for when it runs, so all must run before
// the first object comes.
import './dict.js'
import './iterate.js'
import './list.js'
import './lock.js'
import './queue.js'
import './remote.js'
