-- Gives a lock back. KEYS[1]: the lock. ARGV: the token of who holds it.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
