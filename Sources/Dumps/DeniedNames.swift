/// Functions that reach the server's files, its processes or other servers. No dump of Mastodon uses one, whether the role
/// that restores might call it or not.
enum DeniedNames {
    private static let exact: Set<String> = [
        "lo_import", "lo_export", "lo_from_bytea", "lo_put", "loread", "lowrite",
        "pg_read_file", "pg_read_binary_file", "pg_stat_file", "pg_reload_conf", "pg_rotate_logfile",
        "pg_current_logfile", "pg_terminate_backend", "pg_cancel_backend", "pg_promote", "pg_switch_wal",
        "pg_backup_start", "pg_backup_stop", "pg_start_backup", "pg_stop_backup", "pg_create_restore_point",
        "pg_execute_server_program", "pg_read_server_files", "pg_write_server_files", "pg_import_system_collations",
        "pg_sleep", "pg_sleep_for", "pg_sleep_until",
    ]

    private static let prefixes = [
        "pg_ls_", "pg_file_", "pg_logdir_", "dblink", "pg_create_physical_", "pg_create_logical_", "pg_copy_physical_",
        "pg_copy_logical_", "pg_drop_replication_", "pg_replication_", "pg_logical_", "pg_wal_replay_", "pg_log_",
    ]

    static func contains(_ name: String) -> Bool {
        // Only ASCII names are on the list, and they are short.
        guard name.utf8.count <= 40 else { return false }
        return exact.contains(name) || prefixes.contains { name.hasPrefix($0) }
    }

    /// The first denied name among the words of a function's body, strings and comments included; or `COPY ... PROGRAM`.
    static func first(inBody body: some Sequence<UInt8>) -> String? {
        var word: [UInt8] = []
        var sawCopy = false
        func judge() -> String? {
            defer { word.removeAll(keepingCapacity: true) }
            guard word.count >= 4, word.count <= 40 else { return nil }
            let text = String(decoding: word, as: UTF8.self)
            if text == "copy" { sawCopy = true }
            return contains(text) || sawCopy && text == "program" ? text : nil
        }
        for byte in body {
            if SQLByte.beginsName(byte) || SQLByte.isDigit(byte) {
                if word.count <= 40 { word.append(byte &- 0x41 < 26 ? byte | 0x20 : byte) }
            } else if !word.isEmpty, let found = judge() {
                return found
            }
        }
        return judge()
    }
}
