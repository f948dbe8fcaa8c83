/* gossip: each message reaches everyone, and passes each node once.
 *
 * Everyone is who follows the chain, as its status says (peer_follows).  A
 * light miner, who does not, is told nothing: with a thousand of them each of
 * their thousand submissions would go to all the others.
 *
 * A message is known by the hash of its type and bytes.  Receiving marks it;
 * what the node then finds good it forwards, what it finds bad it does not,
 * and either way it is not looked at again while the mark lasts.  The loop
 * alone. */
#ifndef POT_P2P_GOSSIP_H
#define POT_P2P_GOSSIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "p2p/net.h"

#define GOSSIP_SEEN_MAX (1 << 16) /* marks kept, the latest */

/* Fellows are peers who are all connected to each other and to this node, as
 * validators are: what one has said, all have heard. */
typedef bool gossip_fellow_fn(void *context, const struct peer *peer);

struct gossip; /* opaque: p2p/gossip.c */

/* gossip_new: net is borrowed; seen_max marks, 0: GOSSIP_SEEN_MAX. */
struct gossip *gossip_new(struct net *net, size_t seen_max);
void gossip_free(struct gossip *gossip); /* NULL is fine */

/* gossip_set_fellows: who they are; without it there are none. */
void gossip_set_fellows(struct gossip *gossip, gossip_fellow_fn *is_fellow,
                        void *context);

/* gossip_count_fellows: that are peers now. */
size_t gossip_count_fellows(const struct gossip *gossip);

/* gossip_set_tellers: who, being no fellow, tells the fellows itself what it
 * passes on here: a few of many hearers.  Without it there are none. */
void gossip_set_tellers(struct gossip *gossip, gossip_fellow_fn *is_teller,
                        void *context);

/* gossip_is_teller: whether the peer of this id is a fellow, or such a one:
 * fellows need not be told what it has brought. */
bool gossip_is_teller(const struct gossip *gossip, uint64_t peer_id);

/* gossip_is_fellow: whether the peer of this id is one. */
bool gossip_is_fellow(const struct gossip *gossip, uint64_t peer_id);

/* gossip_receive: true when the message is new; it is marked now. */
bool gossip_receive(struct gossip *gossip, uint8_t type, const void *data,
                    size_t size);

/* gossip_receive_told: the same of a teller's message, where only what others
 * bring is passed on to fellows: it is new once more when another brings it. */
bool gossip_receive_told(struct gossip *gossip, uint8_t type, const void *data,
                         size_t size);

/* gossip_receive_twice: the same of a fellow's message that tellers may have
 * brought: it is not new then, as all fellows have been told. */
bool gossip_receive_twice(struct gossip *gossip, uint8_t type, const void *data,
                          size_t size);

/* gossip_mark: our own message, which goes out in another one. */
void gossip_mark(struct gossip *gossip, uint8_t type, const void *data,
                 size_t size);

/* gossip_publish: our own message: marked and sent to all.  Sent also when
 * marked already, so that it can be repeated. */
void gossip_publish(struct gossip *gossip, uint8_t type, const void *data,
                    size_t size);

/* gossip_forward: somebody's message, found good: sent to all but the peer
 * of this id, 0: to all. */
void gossip_forward(struct gossip *gossip, uint8_t type, const void *data,
                    size_t size, uint64_t from_peer_id);

/* gossip_forward_out: a teller's message, found good: sent to all who are
 * none.  gossip_tell_fellows: sent to them alone.  gossip_tell: to the peer of
 * this id alone, if it is there still and one of both. */
void gossip_forward_out(struct gossip *gossip, uint8_t type, const void *data,
                        size_t size);
void gossip_tell_fellows(struct gossip *gossip, uint8_t type, const void *data,
                         size_t size);
void gossip_tell(const struct gossip *gossip, uint64_t peer_id, uint8_t type,
                 const void *data, size_t size);

/* gossip_forget: the next copy counts as new again; for what could not be
 * judged yet. */
void gossip_forget(struct gossip *gossip, uint8_t type, const void *data,
                   size_t size);

#endif
