import Millrace

/// Options of the commands that use a model store.
enum StoreOptions {
  static let store = Option("store", "DIR", .store, default: "models", help: "The model store.")
}
