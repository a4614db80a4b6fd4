extension CopyOptions {
    /// Whether equal metadata mean that nothing is to be done and nobody wants to hear of it: then whole directories can be compared by
    /// summaries.
    var canSummarize: Bool {
        let takesAll = Selection(filters: filters, fileList: fileList, half: half).takesAll
        let changesAttributes = chown != nil || chmod != nil
        return takesAll && !changesAttributes && !checksum && comparison == nil && !ignoreExisting && !oneFileSystem
            && !reportsEveryItem
    }
}
