// Baseline JPEGs without libjpeg, which only reads what stands before their data. What is read here is good from its beginning to its end; of everything
// else nothing is said, and libjpeg looks at it anew.
#include <stdlib.h>
#include <string.h>
#include "failing.h"
#include "codes.h"

enum { PLANES = 3, TABLES = 4 };

/// What survives a jump, and what is freed at the end.
struct reading {
    struct jpeg_decompress_struct header;
    struct failing failing;
    char message[MDS_JPEG_MESSAGE];
    JOCTET *icc;
    unsigned int icc_size;
    struct component components[PLANES];
    struct mds_jpeg_plane planes[PLANES];
    int count;
    struct codes *codes;
    uint8_t *data;
};

/// The header, and its profile where that is wanted; 0 where there is none that libjpeg has nothing to say of.
static int read_header(struct reading *r, const uint8_t *bytes, size_t size, int wants_profile) {
    mds_jpeg_prepare(&r->failing, r->message);
    r->header.err = &r->failing.base;
    if (setjmp(r->failing.back)) return 0;
    jpeg_create_decompress(&r->header);
    jpeg_mem_src(&r->header, bytes, size);
    if (wants_profile) jpeg_save_markers(&r->header, JPEG_APP0 + 2, 0xFFFF);
    if (jpeg_read_header(&r->header, TRUE) != JPEG_HEADER_OK) return 0;
    if (wants_profile) jpeg_read_icc_profile(&r->header, &r->icc, &r->icc_size);
    return r->failing.base.num_warnings == 0;
}

/// Whether it is of the kind that is read here: one scan of the usual components with the usual samplings.
static int is_usual(const struct jpeg_decompress_struct *h) {
    if (h->progressive_mode || h->arith_code || h->data_precision != 8) return 0;
    if (h->Ss != 0 || h->Se != BLOCK - 1 || h->Ah != 0 || h->Al != 0) return 0;
    if (h->num_components != h->comps_in_scan || h->image_width == 0 || h->image_height == 0) return 0;
    if (h->num_components == 1) return h->jpeg_color_space == JCS_GRAYSCALE;
    if (h->num_components != PLANES || h->jpeg_color_space != JCS_YCbCr) return 0;
    for (int c = 0; c < PLANES; c++) {
        const jpeg_component_info *info = &h->comp_info[c];
        int most = c == 0 ? 2 : 1;
        if (h->cur_comp_info[c] != info || info->h_samp_factor > most || info->v_samp_factor > most) return 0;
    }
    return 1;
}

/// A table of codes; those of all components are made once.
static const struct codes *codes_of(struct reading *r, int number, int is_dc) {
    const struct jpeg_decompress_struct *h = &r->header;
    if (number < 0 || number >= TABLES) return NULL;
    const JHUFF_TBL *table = is_dc ? h->dc_huff_tbl_ptrs[number] : h->ac_huff_tbl_ptrs[number];
    if (!table) return NULL;
    for (int c = 0; c < r->count; c++) {
        const jpeg_component_info *info = &h->comp_info[c];
        if (is_dc && info->dc_tbl_no == number && r->components[c].dc) return r->components[c].dc;
        if (!is_dc && info->ac_tbl_no == number && r->components[c].ac) return r->components[c].ac;
    }
    struct codes *codes = r->codes++;
    return mds_codes_make(codes, table->bits, table->huffval, is_dc) ? codes : NULL;
}

/// How many of `size` samples are left of a `part`th.
static int part_of(size_t size, size_t part) { return (int)((size + part - 1) / part); }

/// The smallest part of `across` x `down` samples, of 1, 2, 4 and 8, that is not smaller than what is wanted.
static int fraction(double across, double down, const struct mds_jpeg_wish *wish, int is_color) {
    double halves = is_color && wish->halves_colors ? 2 : 1;
    int part = 8;
    while (part > 1 && (across * halves < (double)wish->width * part || down * halves < (double)wish->height * part)) part /= 2;
    return part;
}

/// What each value counts, by a quantization table in the order of rows.
static void make_weights(const uint16_t *table, float *weights) {
    const float MEAN = 0.35355339059327376f;
    // The same for all sizes: a smaller block has as much less of everything as its sums have fewer terms.
    for (int k = 0; k < BLOCK; k++)
        weights[k] = (float)table[k] * (k % 8 == 0 ? MEAN : 0.5f) * (k / 8 == 0 ? MEAN : 0.5f);
}

/// Prepares what is read of each component; with samples where there is a wish.
static int prepare(struct reading *r, const struct mds_jpeg_wish *wish, size_t *per_row, size_t *rows) {
    const struct jpeg_decompress_struct *h = &r->header;
    int most_across = 1, most_down = 1;
    r->count = h->num_components;
    if (r->count > 1) {
        most_across = h->comp_info[0].h_samp_factor;
        most_down = h->comp_info[0].v_samp_factor;
    }
    *per_row = (size_t)part_of(h->image_width, 8 * (size_t)most_across);
    *rows = (size_t)part_of(h->image_height, 8 * (size_t)most_down);
    for (int c = 0; c < r->count; c++) {
        const jpeg_component_info *info = &h->comp_info[c];
        struct component *part = &r->components[c];
        part->across = r->count == 1 ? 1 : info->h_samp_factor;
        part->down = r->count == 1 ? 1 : info->v_samp_factor;
        part->dc = codes_of(r, info->dc_tbl_no, 1);
        part->ac = codes_of(r, info->ac_tbl_no, 0);
        if (!part->dc || !part->ac) return 0;
        if (info->quant_tbl_no < 0 || info->quant_tbl_no >= TABLES || !h->quant_tbl_ptrs[info->quant_tbl_no]) return 0;
        if (!wish) continue;
        make_weights(h->quant_tbl_ptrs[info->quant_tbl_no]->quantval, part->weights);
        double across = (double)h->image_width * part->across / most_across;
        double down = (double)h->image_height * part->down / most_down;
        int least = fraction(across, down, wish, c > 0);
        part->side = 8 / least;
        part->stride = (*per_row * (size_t)part->across * (size_t)part->side + 31) / 32 * 32;
        part->samples = malloc(part->stride * *rows * (size_t)part->down * (size_t)part->side);
        r->planes[c] = (struct mds_jpeg_plane){
            .samples = part->samples,
            .width = part_of(part_of(h->image_width * (size_t)part->across, (size_t)most_across), (size_t)least),
            .height = part_of(part_of(h->image_height * (size_t)part->down, (size_t)most_down), (size_t)least),
            .stride = part->stride, .across = across / least, .down = down / least,
        };
        if (!part->samples) return 0;
    }
    return 1;
}

/// Copies data up to the next marker, without the zeros that stand behind each 0xFF of them. Returns the marker, 0 where there is none.
static int next_data(const uint8_t **from, const uint8_t *end, uint8_t *data, size_t *size) {
    *size = 0;
    while (*from < end) {
        const uint8_t *mark = memchr(*from, 0xFF, (size_t)(end - *from));
        if (!mark || end - mark < 2) return 0;
        size_t count = (size_t)(mark - *from) + (mark[1] == 0);
        memcpy(data + *size, *from, count);
        *size += count;
        *from = mark + 2;
        if (mark[1] != 0) return mark[1];
    }
    return 0;
}

/// Reads all units, from one restart to the next.
static int read_data(struct reading *r, size_t per_row, size_t rows) {
    enum { FIRST_RESTART = 0xD0, END = 0xD9 };
    const uint8_t *from = r->header.src->next_input_byte, *end = from + r->header.src->bytes_in_buffer;
    size_t all = per_row * rows, interval = r->header.restart_interval > 0 ? r->header.restart_interval : all;
    r->data = malloc((size_t)(end - from) + BEHIND);
    if (!r->data) return 0;
    int restarts = 0;
    for (size_t done = 0; done < all; restarts++) {
        size_t size, units = all - done < interval ? all - done : interval;
        int marker = next_data(&from, end, r->data, &size);
        int expected = done + units == all ? END : FIRST_RESTART + restarts % 8;
        if (marker != expected) return 0;
        memset(r->data + size, 0, BEHIND);
        struct place place = {done, units, per_row};
        if (!mds_units_read(r->data, size, r->components, r->count, place)) return 0;
        done += units;
    }
    return 1;
}

static int read_picture(struct reading *r, const uint8_t *bytes, size_t size, const struct mds_jpeg_wish *wish) {
    size_t per_row, rows;
    if (!read_header(r, bytes, size, wish != NULL) || !is_usual(&r->header)) return 0;
    struct codes *codes = malloc(2 * PLANES * sizeof *codes);
    if (!codes) return 0;
    r->codes = codes;
    int result = prepare(r, wish, &per_row, &rows) && read_data(r, per_row, rows);
    free(codes);
    free(r->data);
    return result;
}

static int run(const uint8_t *bytes, size_t size, const struct mds_jpeg_wish *wish, struct mds_jpeg_planes *out) {
    struct reading r;
    memset(&r, 0, sizeof r);
    int result = read_picture(&r, bytes, size, wish);
    jpeg_destroy_decompress(&r.header);
    if (!result || !out) {
        for (int c = 0; c < PLANES; c++) free(r.planes[c].samples);
        free(r.icc);
        return result;
    }
    *out = (struct mds_jpeg_planes){.count = r.count, .icc = r.icc, .icc_size = r.icc_size};
    memcpy(out->planes, r.planes, sizeof r.planes);
    return result;
}

int mds_jpeg_read(const uint8_t *bytes, size_t size, const struct mds_jpeg_wish *wish, struct mds_jpeg_planes *out) {
    return run(bytes, size, wish, out);
}

int mds_jpeg_is_good(const uint8_t *bytes, size_t size) { return run(bytes, size, NULL, NULL); }
