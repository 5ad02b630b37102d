// Package ledger is the durable record: the documents of now and the log of events that led to them, changed together
// in one transaction. It knows bytes only; what they mean is decided above it, and where they lie below it, in an Engine.
//
// # Life cycle
//
// An engine is opened with the spaces that [Spaces] names, and [Open] makes a ledger of it: in a new engine it writes
// the record of birth (schema version, instance, environment), in an old one it compares that record and looks at
// the tail of the log. From then on [Ledger.View] reads one consistent state, and [Ledger.Update] hands the state to a
// function and writes the [Change] that it returns, whole or not at all. Whoever opened the engine closes it; the ledger
// holds nothing else.
//
// # Documents and events
//
// A document has a kind and a key, and names every index key under which it wants to be found; the ledger remembers
// those names and replaces them when the document changes. What is to be shown or told later (an outbox) is a document
// like any other, of a kind of its own. An event is a leaf of a Merkle log by RFC 6962: the bytes given are the bytes
// kept and hashed, and the hashes of the tree are written with them. What a person typed lies beside the leaf, in a
// space where it can be removed without breaking a proof.
//
// # Caveats
//
//   - The function given to Update must be pure but for assigning its results, and those at every run: it may run
//     twice. It sees the state before it, not the changes that it is about to return.
//   - After [ErrUnknownOutcome] nothing is known to be true. The process stops and starts again from what is on disk.
//   - Long reads go in pages: a View held open can keep a writer waiting while the file must grow.
//   - Removing a value makes it unreachable; its bytes may stay in the file until the engine uses their place again.
//   - Names and keys hold no NUL byte and none is empty.
package ledger
