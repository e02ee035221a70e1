// Each of these says, when it runs, which kinds of objects its proxies are for. So all must run
// before the first object comes.
import './dict.js'
import './iterate.js'
import './list.js'
import './lock.js'
import './queue.js'
import './remote.js'
