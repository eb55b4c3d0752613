/* plug/writer/page_template.h - the report page as web/ builds it, with a marker for the run. */
#ifndef PLUG_WRITER_PAGE_TEMPLATE_H
#define PLUG_WRITER_PAGE_TEMPLATE_H

#include <stddef.h>

extern const unsigned char page_template[]; /* made by tool/embed */
extern const size_t page_template_bytes;

#endif
